// The error family: codes, categories, messages, and recognition across copies and realms.
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { build, stop } from 'esbuild';
import { describe, expect, it } from 'vitest';
import {
  BufferTooShort,
  DragonError,
  errorClasses,
  errorFromStatus,
  errorTable,
  errorWithCode,
  NotOwnerError,
  ProcessError,
  RemoteTraceback,
  SerializeError,
  TimeoutError,
  WorkerDied,
} from './index.ts';

type Family = { TimeoutError: typeof TimeoutError };

async function secondCopy(): Promise<Family> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./index.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    write: false,
  });
  await stop();
  const url = `data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`;
  return (await import(url)) as Family;
}

describe('the family', () => {
  it('an error has a code and the category of that code [ERR-001]', () => {
    expect(new DragonError('x')).toMatchObject({ code: 'ERR_DRAGON', category: 'error' });
    expect(new TimeoutError('x')).toMatchObject({ code: 'ERR_TIMEOUT', category: 'warning' });
    const given = new DragonError('x', {
      code: 'ERR_CLOSED',
      category: 'fatal',
      details: { a: 1 },
    });
    expect(given).toMatchObject({ code: 'ERR_CLOSED', category: 'fatal', details: { a: 1 } });
    expect(new DragonError('x', { cause: undefined })).toHaveProperty('cause', undefined);
    expect('cause' in new DragonError('x')).toBe(false);
  });

  it('only the code is an own field, so that a printed error is short [ERR-001]', () => {
    expect({ ...new TimeoutError('x') }).toEqual({ code: 'ERR_TIMEOUT' });
    expect(String(new TimeoutError('late'))).toBe('TimeoutError: late');
  });

  it('every class has its own name and a code of the table [ERR-003]', () => {
    const codes = new Set<string>(errorTable.map(({ code }) => code));
    for (const [name, errorClass] of Object.entries(errorClasses)) {
      expect(errorClass.name).toBe(name);
      expect(codes).toContain(errorClass.defaultCode);
      expect(Object.create(errorClass.prototype)).toBeInstanceOf(DragonError);
    }
    expect(new WorkerDied('x')).toBeInstanceOf(ProcessError);
    expect(new errorClasses.ResultEncodingError('x')).toBeInstanceOf(SerializeError);
    expect(new errorClasses.NotLockedError('x')).toBeInstanceOf(NotOwnerError);
    expect(new SerializeError('x')).not.toBeInstanceOf(errorClasses.ResultEncodingError);
  });

  it('some classes hold what their catcher needs [ERR-005]', () => {
    expect(new BufferTooShort('x', Uint8Array.of(7)).bytes).toEqual(Uint8Array.of(7));
    const died = new WorkerDied('x', { signal: 'SIGKILL', puid: 5n });
    expect({ ...died }).toEqual({ code: 'ERR_WORKER_DIED', signal: 'SIGKILL', puid: 5n });
    expect(new RemoteTraceback('Error: far\n  at there').stack).toBe(
      'RemoteTraceback: Error: far\n  at there',
    );
  });
});

describe('recognition', () => {
  it('errors of a second copy of the package are of the same classes [ERR-004]', async () => {
    const copy = await secondCopy();
    const foreign = new copy.TimeoutError('x');
    expect(copy.TimeoutError).not.toBe(TimeoutError);
    expect(foreign).toBeInstanceOf(TimeoutError);
    expect(foreign).toBeInstanceOf(DragonError);
    expect(TimeoutError.is(foreign)).toBe(true);
    expect(SerializeError.is(foreign)).toBe(false);
  });

  it('values of any kind and realm are told apart [ERR-004]', () => {
    const other = runInNewContext('new Error("x")') as unknown;
    for (const value of [null, undefined, 5, 'x', {}, [], new Error('x'), other]) {
      expect(DragonError.is(value)).toBe(false);
    }
  });

  it('a subclass made elsewhere has only its own instances [ERR-004]', () => {
    class Special extends TimeoutError {}
    expect(new Special('x')).toBeInstanceOf(TimeoutError);
    expect(new Special('x')).toBeInstanceOf(Special);
    expect(new TimeoutError('x')).not.toBeInstanceOf(Special);
    expect(new Special('x').code).toBe('ERR_TIMEOUT');
  });
});

describe('status numbers', () => {
  it('each gives the class of its condition and the message form [ERR-002]', () => {
    errorTable.forEach(({ code, text }, status) => {
      const error = errorFromStatus(status, 'send');
      expect(error.code).toBe(code);
      expect(error.message.startsWith(`send: ${text}`)).toBe(true);
    });
    expect(errorFromStatus(2, 'receive')).toBeInstanceOf(TimeoutError);
    expect(errorFromStatus(11, 'x')).toBeInstanceOf(errorClasses.OutOfMemoryError);
  });

  it('cause and fix can be given [ERR-002]', () => {
    const why = errorFromStatus(10, 'allocate 200 bytes', 'limit 4096, used 4000');
    expect(why.message).toMatch(
      /^allocate 200 bytes: the pool can't .* \(limit 4096, used 4000\); /,
    );
    const fixed = errorFromStatus(19, 'open', { why: 'EMFILE', fix: 'raise ulimit -n', cause: 7 });
    expect(fixed.message).toBe('open: a system call failed (EMFILE); raise ulimit -n');
    expect(fixed.cause).toBe(7);
  });

  it('an unknown number or code is still an error [ERR-002]', () => {
    expect(errorFromStatus(9999, 'x').message).toBe('x: unknown status 9999');
    expect(errorWithCode('ERR_OTHER', 'x')).toMatchObject({
      code: 'ERR_OTHER',
      name: 'DragonError',
    });
    expect(errorWithCode('ERR_BUFFER_TOO_SHORT', 'x')).toBeInstanceOf(BufferTooShort);
  });
});
