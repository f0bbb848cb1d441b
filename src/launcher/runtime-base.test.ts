/** White box: the base, run directories, and telling live runs from leftovers. */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshFolder } from '../../conformance/launcher/folders.ts';
import { listRuns, removeLeftovers, removeRun, stateOf } from './leftovers.ts';
import { type ProcessStat, processBinding } from './process-binding.ts';
import {
  makeRunDirectory,
  newRunId,
  type OwnerRecord,
  openBase,
  type RuntimeBase,
  readOwner,
  runtimeBase,
  thisPlace,
} from './runtime-base.ts';

const uid = process.getuid?.() ?? 0;

function freshBase(): RuntimeBase {
  return { path: freshFolder(), keep: true };
}

function ownerOf(pid: number) {
  return { pid, startTime: processBinding().processStat(pid)?.startTime ?? 0 };
}

function record(changes: Partial<OwnerRecord> = {}): OwnerRecord {
  const self = ownerOf(process.pid);
  const common = { schema: 1, release: '0', program: '/p', launcher: self, warden: self } as const;
  return { ...common, runId: newRunId(), ...thisPlace(), ...changes };
}

const dead = { pid: 2 ** 22 - 1, startTime: 1 };

describe('the base', () => {
  it('is the chosen one, the session directory, or one for the user [LNC-040]', () => {
    expect(runtimeBase({ DRAGON_RUNTIME_BASE: '/x' }, 7)).toEqual({ path: '/x', keep: true });
    const session = freshFolder();
    expect(runtimeBase({ XDG_RUNTIME_DIR: session }, 7).path).toBe(join(session, 'dragon'));
    expect(runtimeBase({ XDG_RUNTIME_DIR: '/no/such' }, 7).path).toBe('/tmp/dragon-7');
    expect(runtimeBase({}, 7)).toEqual({ path: '/tmp/dragon-7', keep: false });
    expect(() => runtimeBase({ DRAGON_RUNTIME_BASE: 'relative' }, 7)).toThrow('absolute');
  });

  it('is made for this user alone [LNC-040]', () => {
    const base = { path: join(freshBase().path, 'inner'), keep: true };
    openBase(base, uid);
    expect(statSync(base.path).mode & 0o777).toBe(0o700);
    chmodSync(base.path, 0o755);
    openBase(base, uid);
  });

  it('is refused when it is a link, a file, or others may write it [LNC-040] [LNC-042]', () => {
    const { path } = freshBase();
    const open = { path: join(path, 'open'), keep: true };
    mkdirSync(open.path);
    chmodSync(open.path, 0o775);
    expect(() => openBase(open, uid)).toThrow(/others may write it.*DRAGON_RUNTIME_BASE/);
    const link = { path: join(path, 'link'), keep: true };
    symlinkSync(path, link.path);
    expect(() => openBase(link, uid)).toThrow('not a directory');
    const file = { path: join(path, 'file'), keep: true };
    writeFileSync(file.path, '');
    expect(() => openBase(file, uid)).toThrow('not a directory');
    expect(() => openBase({ path: join(file.path, 'x'), keep: true }, uid)).toThrow("can't use");
    expect(() => openBase(freshBase(), uid + 1)).toThrow('belongs to user');
  });

  it('is refused when sockets in it would have too long an address [LNC-042]', () => {
    expect(() => openBase({ path: `/${'x'.repeat(90)}`, keep: true }, uid)).toThrow('longer than');
  });
});

describe('the directory of a run', () => {
  it('is private and holds a record that reads back [LNC-041]', () => {
    const base = freshBase();
    const written = record();
    const directory = makeRunDirectory(base, uid, written);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory)).toEqual(['owner.json']);
    expect(readOwner(directory)).toEqual(written);
  });

  it('with a damaged record has none [LNC-041]', () => {
    const base = freshBase();
    for (const text of ['', '{', '[]', '{"schema":2}', '{"schema":1,"launcher":{"pid":-1}}']) {
      const directory = makeRunDirectory(base, uid, record());
      writeFileSync(join(directory, 'owner.json'), text);
      expect(readOwner(directory)).toBeUndefined();
    }
  });
});

describe('a leftover', () => {
  const stat = (alive: readonly ProcessStat[]) => (pid: number) =>
    alive.find((one) => one.pid === pid);
  const one = (pid: number, state = 'S'): ProcessStat => {
    return { pid, parent: 1, state, startTime: pid * 10, command: 'x' };
  };
  const owner = record({
    launcher: { pid: 5, startTime: 50 },
    warden: { pid: 6, startTime: 60 },
  });

  it('is a run whose owners are both dead, and no other [LNC-032] [LNC-033]', () => {
    const place = thisPlace();
    expect(stateOf(owner, place, stat([one(5), one(6)]))).toBe('live');
    expect(stateOf(owner, place, stat([one(6)]))).toBe('ending');
    expect(stateOf(owner, place, stat([one(5)]))).toBe('ending');
    expect(stateOf(owner, place, stat([]))).toBe('dead');
  });

  it('is told by start times, so that a reused process id does not protect it [LNC-032]', () => {
    const reused = { ...one(5), startTime: 51 };
    expect(stateOf(owner, thisPlace(), stat([reused, one(6, 'Z')]))).toBe('dead');
  });

  it('is never a run of another process namespace, unless the boot has passed [LNC-033]', () => {
    const elsewhere = { ...thisPlace(), namespace: 'pid:[1]' };
    expect(stateOf(owner, elsewhere, stat([]))).toBe('foreign');
    expect(stateOf(owner, { ...elsewhere, boot: 'other' }, stat([one(5)]))).toBe('dead');
  });

  it('is removed with its directory, a live run is not [LNC-032] [LNC-033]', () => {
    const base = freshBase();
    const live = makeRunDirectory(base, uid, record());
    const gone = makeRunDirectory(base, uid, record({ launcher: dead, warden: dead }));
    writeFileSync(join(gone, 'bell.1'), '');
    mkdirSync(join(base.path, 'something-else'));
    expect(
      listRuns(base)
        .map(({ state }) => state)
        .sort(),
    ).toEqual(['dead', 'live']);
    expect(removeLeftovers(base)).toMatchObject([{ pids: [], problem: '' }]);
    expect(readdirSync(base.path).sort()).toEqual([live.split('/').at(-1), 'something-else']);
  });

  it('without a record is one when its launcher is gone or it is old [LNC-032]', () => {
    const base = freshBase();
    const young = join(base.path, `r${process.pid}-00000001`);
    const old = join(base.path, `r${process.pid}-00000002`);
    const orphan = join(base.path, `r${dead.pid}-00000003`);
    for (const path of [young, old, orphan]) mkdirSync(path);
    utimesSync(old, 1000, 1000);
    const states = new Map(listRuns(base).map(({ directory, state }) => [directory, state]));
    expect(states.get(young)).toBe('starting');
    expect(states.get(old)).toBe('dead');
    expect(states.get(orphan)).toBe('dead');
  });

  it('that can not be removed is told [LNC-052]', () => {
    const base = freshBase();
    const target = freshBase();
    const runId = `r${dead.pid}-00000004`;
    symlinkSync(target.path, join(base.path, runId));
    const run = { runId, directory: join(base.path, runId), state: 'dead', owner: undefined };
    expect(removeRun(base, run as never).problem).toContain("can't be removed");
    expect(listRuns({ path: '/no/such/base', keep: true })).toEqual([]);
  });
});
