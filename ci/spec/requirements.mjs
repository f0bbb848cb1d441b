/**
 * Reads the requirements out of the texts in `spec/`.
 *
 * A requirement is a line that begins with its bold id: `**CH-012** A receive on ...`.
 */

/** What an id may begin with, and the component that it stands for. */
export const components = {
  MEM: 'memory',
  SYN: 'actors, locks, waiters',
  COR: 'the core from TypeScript',
  WAI: 'waits',
  CH: 'channels',
  REM: 'channels of other nodes',
  AGT: 'transport agent',
  EVT: 'semaphores, barriers, events, channel sets',
  PRC: 'processes',
  SVC: 'services',
  OVL: 'overlay of nodes',
  BUP: 'bring-up and tear-down',
  NET: 'network configuration',
  WIR: 'bytes between nodes',
  FAB: 'fabrics',
  LNK: 'links between nodes',
  LNC: 'launcher and commands',
  PRO: 'process objects',
  FIN: 'finalizers',
  LOG: 'logging',
  QUE: 'queues',
  PIP: 'pipes',
  WTG: 'waiting for many objects',
  PL: 'pools',
  LCK: 'locks',
  RLK: 're-entrant locks',
  SEM: 'semaphores',
  EVN: 'events',
  BAR: 'barriers',
  CND: 'conditions',
  VAL: 'shared values, arrays and structs',
  SHM: 'shared memory by name, shareable lists',
  CPT: 'ported tests',
  PRP: 'properties',
  COD: 'codec',
  LDR: 'loader',
  CAB: 'C interface',
  MOD: 'models of protocols',
  ERR: 'errors',
  PRF: 'proof',
  BEN: 'benchmarks',
  CNF: 'conformance and house',
  EXM: 'examples',
  DOC: 'user guide',
};

/** Three digits, so that ids sort as text. */
export const idPattern = '[A-Z]{2,3}-[0-9]{3}';

/**
 * @typedef {object} Requirement
 * @property {string} id
 * @property {string} text the line without its id
 * @property {string} place `path:line`
 *
 * @param {readonly import('../tree.mjs').SourceFile[]} files
 * @returns {Requirement[]}
 */
export function readRequirements(files) {
  const line = new RegExp(`^\\*\\*(${idPattern})\\*\\*\\s*(.*)$`);
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((content, index) => {
      const [, id, rest] = line.exec(content) ?? [];
      if (id === undefined) return [];
      return [{ id, text: rest ?? '', place: `${path}:${index + 1}` }];
    }),
  );
}
