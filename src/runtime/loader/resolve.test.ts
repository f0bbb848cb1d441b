// Module resolution, compared with Node's own in the same folders.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Resolver } from './resolve.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'res')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const self = 'export default import.meta.url;';
const packages: Record<string, object> = {
  bare: {},
  main: { main: './lib/entry.js' },
  'main-short': { main: 'lib/entry' },
  'main-folder': { main: 'lib' },
  'main-gone': { main: 'nothing' },
  sugar: { exports: './lib/entry.js' },
  conditions: {
    exports: { require: './no.js', node: { import: './lib/entry.js' }, default: './no.js' },
  },
  paths: {
    exports: {
      '.': './index.js',
      './a': { import: ['./missing-condition', './lib/a.js'] },
      './lib/*': './lib/*.js',
      './lib/private/*': null,
      './lib/*.js': './lib/*.js',
      './deep/*/x': './lib/*.js',
      './none': null,
      './out': '../bare/index.js',
      './mod': './node_modules/x.js',
      './empty': {},
      './dir/': './lib/',
    },
  },
  mixed: { exports: { '.': './index.js', import: './index.js' } },
  '@scope/inner': { exports: { './x': './lib/a.js' } },
};
const files = ['index.js', 'no.js', 'lib/index.js', 'lib/entry.js', 'lib/a.js', 'lib/private/b.js'];

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

for (const [name, manifest] of Object.entries(packages)) {
  write(`node_modules/${name}/package.json`, JSON.stringify({ type: 'module', name, ...manifest }));
  for (const file of files) write(`node_modules/${name}/${file}`, self);
}
write('node_modules/broken/package.json', '{');
write('app/node_modules/bare/index.js', `${self}//nearer`);
write('app/node_modules/bare/package.json', '{"type": "module"}');
write(
  'app/package.json',
  JSON.stringify({
    name: 'app',
    type: 'module',
    exports: { '.': './own.js', './sub': './sub/own.js' },
    imports: {
      '#own': './own.js',
      '#sub/*': './sub/*.js',
      '#bare': 'bare',
      '#fs': 'node:fs',
      '#paths/*': 'paths/lib/*',
      '#none': null,
      '#out': '../x.js',
    },
  }),
);
for (const path of ['own.js', 'sub/own.js', 'sub/a b.js', 'sub/c%d.js', 'sub/ü.js']) {
  write(`app/${path}`, self);
}
symlinkSync(join(root, 'app/own.js'), join(root, 'app/link.js'));
symlinkSync(join(root, 'app/sub'), join(root, 'node_modules/linked'));

const specifiers = [
  ...['bare', 'main', 'main-short', 'main-folder', 'main-gone', 'sugar', 'conditions', 'paths'],
  ...['bare/lib/a.js', 'bare/lib/a', 'bare/lib', 'bare/lib/', 'sugar/lib/a.js', 'broken', 'mixed'],
  ...[
    'paths/a',
    'paths/lib/a',
    'paths/lib/a.js',
    'paths/lib/private/b',
    'paths/deep/a/x',
    'paths/none',
  ],
  ...[
    'paths/out',
    'paths/mod',
    'paths/empty',
    'paths/lib/',
    'paths/lib/../a',
    'paths/gone',
    'paths/dir/',
  ],
  ...['@scope/inner/x', '@scope/inner', '@scope', 'linked/own.js', 'no-such', '.hidden'],
  ...[
    'app',
    'app/sub',
    'app/none',
    '#own',
    '#sub/own',
    '#sub/gone',
    '#bare',
    '#fs',
    '#paths/a',
    '#none',
  ],
  ...[
    '#out',
    '#',
    '#unknown',
    './own.js',
    './own',
    './sub',
    './sub/',
    '../app/own.js',
    './link.js',
  ],
  ...[
    './sub/a%20b.js',
    './sub/a b.js',
    './sub/c%25d.js',
    './sub/%2fown.js',
    './sub/ü.js',
    './own.js?q=1',
  ],
  ...[
    './own.js#h',
    'fs',
    'node:fs',
    'node:nothing',
    'data:text/javascript,export default 1',
    '%41',
  ],
  ...[
    'back\\slash',
    'bare%20',
    pathToFileURL(join(root, 'app/own.js')).href,
    join(root, 'app/own.js'),
  ],
];

/** Address or error code of each, by a plain Node. */
function nodesAnswers(): Record<string, string> {
  const script = `
    const answers = {};
    for (const specifier of ${JSON.stringify(specifiers)}) {
      try {
        const found = (await import(specifier)).default;
        answers[specifier] = typeof found === 'string' ? found : import.meta.resolve(specifier);
      } catch (error) { answers[specifier] = error.code; }
    }
    console.log(JSON.stringify(answers));`;
  write('app/ask.js', script);
  const text = execFileSync(process.execPath, [join(root, 'app/ask.js')], {
    encoding: 'utf8',
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  return JSON.parse(text) as Record<string, string>;
}

function ourAnswer(specifier: string): string {
  try {
    return new Resolver().resolve(specifier, pathToFileURL(join(root, 'app/ask.js')).href).url;
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}

/** What Node finds out only when it loads. */
const foundLater: Record<string, string> = { 'node:nothing': 'node:nothing' };

describe('resolution', () => {
  it('every specifier means what Node says [LDR-008]', () => {
    const expected = { ...nodesAnswers(), ...foundLater };
    const found = Object.fromEntries(specifiers.map((text) => [text, ourAnswer(text)]));
    expect(found).toEqual(expected);
  });

  it('what an answer depended on is remembered, missing files included [LDR-011]', () => {
    const resolver = new Resolver();
    resolver.resolve('bare', pathToFileURL(join(root, 'app/sub/own.js')).href);
    const seen = Object.fromEntries(resolver.files.seen);
    expect(seen[join(root, 'app/sub/node_modules/bare')]).toBe('');
    expect(seen[join(root, 'app/node_modules/bare')]).toBe('folder');
    expect(seen[join(root, 'app/node_modules/bare/package.json')]).toMatch(/^=/);
  });
});
