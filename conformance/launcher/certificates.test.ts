/** Whom processes of a run trust, and that they do not pay for it at their start. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dragonCommand, run, runDragon } from '../harness/dragon.ts';

const place = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const program = place('trusting.ts');
const certificate = place('tls/certificate.pem');
const untrusted = 'DEPTH_ZERO_SELF_SIGNED_CERT';
/** From Node 22 on the interpreter itself reads the file when it is needed. */
const isEager = Number(process.versions.node.split('.')[0]) < 22;

let server: Server;
let port = '';

beforeAll(async () => {
  const options = { key: readFileSync(place('tls/key.pem')), cert: readFileSync(certificate) };
  server = createServer(options, (socket) => socket.on('error', () => undefined).end());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = String((server.address() as AddressInfo).port);
});

afterAll(() => server.close());

describe('a certificate in the file of NODE_EXTRA_CA_CERTS', () => {
  it('is trusted by head, processes and threads, which read it late [LNC-017]', async () => {
    // An interpreter that takes coverage is not started so, and Node hands the variable on.
    const env = { NODE_EXTRA_CA_CERTS: certificate, NODE_V8_COVERAGE: '' };
    // As a user starts it: the shell part of the command is there, too.
    const { stdout, stderr } = await run(dragonCommand, [program, port], { env });
    const each = { server: 'trusted', inEnvironment: certificate, atStart: !isEager };
    expect({ stderr, found: JSON.parse(stdout) }).toEqual({
      stderr: '',
      found: { head: each, inProcess: each, inThread: each },
    });
  });

  it('is read at the start where the interpreter runs with options [LNC-017]', async () => {
    const env = { NODE_EXTRA_CA_CERTS: certificate, NODE_OPTIONS: '--no-deprecation' };
    const { stdout } = await runDragon([program, port], { env });
    const each = { server: 'trusted', inEnvironment: certificate, atStart: true };
    expect(JSON.parse(stdout)).toEqual({ head: each, inProcess: each, inThread: each });
  });

  it('is trusted by nobody without the variable [LNC-017]', async () => {
    const env = { NODE_EXTRA_CA_CERTS: undefined };
    const { stdout } = await runDragon([program, port], { env });
    const each = { server: untrusted, atStart: false };
    expect(JSON.parse(stdout)).toEqual({ head: each, inProcess: each, inThread: each });
  });
});
