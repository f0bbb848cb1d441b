import { describe, expect, it } from 'vitest';
import { useNode } from './node.fixture.ts';
import { RwLock } from './rw-lock.ts';

const fixture = useNode();

const codeOf = (code: string) => expect.objectContaining({ code });

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('reader-writer locks from TypeScript', () => {
  it('are read and written in every form [EVT-100]', async () => {
    using lock = RwLock.create(fixture.pool);
    using its = RwLock.attach(fixture.node, lock.serialize());
    expect(lock.tryRead()).toBe(true);
    expect(its.readSync()).toBe(true);
    expect(await lock.read()).toBe(true);
    expect([lock.readers, lock.writer]).toEqual([1, undefined]);
    expect(its.tryWrite()).toBe(false);
    expect(its.writeSync({ timeout: 2 })).toBe(false);
    expect(await its.write({ timeout: 2 })).toBe(false);
    const writing = its.write();
    for (let i = 0; i < 3; i++) lock.endRead();
    expect(await writing).toBe(true);
    expect(lock.writer).toBe(fixture.node.actorId);
    expect(lock.tryRead()).toBe(false);
    expect(lock.readSync({ timeout: 2 })).toBe(false);
    expect(await lock.read({ timeout: 2 })).toBe(false);
    const reading = [lock.read(), its.read()];
    lock.endWrite();
    expect(await Promise.all(reading)).toEqual([true, true]);
    lock.endRead();
    its.endRead();
    expect(lock.writeSync()).toBe(true);
    lock.endWrite();
    expect(() => lock.endRead()).toThrow(codeOf('ERR_NOT_OWNER'));
    expect(() => lock.endWrite()).toThrow(codeOf('ERR_NOT_OWNER'));
    for (const readers of [0, 4097, Number.NaN]) {
      expect(() => RwLock.create(fixture.pool, { readers })).toThrow(
        codeOf('ERR_INVALID_ARGUMENT'),
      );
    }
  });

  it('are not held after an abort, and hinder nobody [EVT-101]', async () => {
    using lock = RwLock.create(fixture.pool);
    using its = RwLock.attach(fixture.node, lock.serialize());
    expect(lock.tryRead()).toBe(true);
    const aborted = new AbortController();
    const writing = its.write({ signal: aborted.signal });
    await settled();
    // A writer waits, so that who comes to read waits, too.
    expect(lock.tryRead()).toBe(false);
    const reading = lock.read();
    aborted.abort(new Error('enough'));
    await expect(writing).rejects.toThrow('enough');
    expect(await reading).toBe(true);
    lock.endRead();
    lock.endRead();
    await expect(lock.write({ signal: aborted.signal })).rejects.toThrow('enough');
    expect(() => lock.readSync({ signal: aborted.signal })).toThrow('enough');
    await expect(lock.read({ timeout: Number.NaN })).rejects.toThrow(TypeError);
    expect([lock.readers, lock.writer]).toEqual([0, undefined]);
  });

  it('have guards that end once [EVT-103]', async () => {
    using lock = RwLock.create(fixture.pool);
    {
      using reading = await lock.reading();
      using again = lock.readingSync();
      expect([lock.readers, reading.ownerDied, again.held]).toEqual([1, false, true]);
      await expect(lock.writing({ timeout: 2 })).rejects.toThrow(codeOf('ERR_TIMEOUT'));
      again.release();
      expect(again.held).toBe(false);
      expect(() => again.release()).toThrow(codeOf('ERR_NOT_OWNER'));
      expect(lock.readers).toBe(1);
    }
    expect(lock.readers).toBe(0);
    {
      using writing = lock.writingSync();
      expect(() => lock.readingSync({ timeout: 2 })).toThrow(codeOf('ERR_TIMEOUT'));
      expect(writing.held).toBe(true);
      await expect(lock.reading({ timeout: 2 })).rejects.toThrow(codeOf('ERR_TIMEOUT'));
    }
    {
      using writing = await lock.writing();
      expect([lock.writer, writing.ownerDied]).toEqual([fixture.node.actorId, false]);
    }
    expect(lock.writer).toBeUndefined();
  });

  it('end every wait when they end [EVT-092] [EVT-082]', async () => {
    using lock = RwLock.create(fixture.pool);
    lock.tryWrite();
    const its = RwLock.attach(fixture.node, lock.serialize());
    const closed = [its.read(), its.write()].map((wait) =>
      expect(wait).rejects.toThrow(codeOf('ERR_CLOSED')),
    );
    its.close();
    await Promise.all(closed);
    expect(() => its.tryRead()).toThrow(codeOf('ERR_CLOSED'));
    const destroyed = [lock.read(), lock.write()].map((wait) =>
      expect(wait).rejects.toThrow(codeOf('ERR_OBJECT_DESTROYED')),
    );
    lock.destroy();
    await Promise.all(destroyed);
    expect(() => lock.tryWrite()).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
    expect(fixture.node.waits.size).toBe(0);
  });
});
