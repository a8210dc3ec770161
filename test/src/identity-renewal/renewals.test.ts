import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { createMtlsAgent, CredentialsStore, type TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { FEED_PATH, type CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import { createAuthority, openAuthority, renew, writeBundle, type Authority } from '@sigv4-keyd/pki';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { send } from '../edge-verifier/client.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { REGION, startRenewingTiers, type RenewingTiers, type Tier } from './renewing-tiers.js';
import { requestsEverywhere, type HopClient, type SteadyRequests } from './steady-requests.js';

t.setTimeout(150_000);

const TIERS = ['master', 'region', 'edge'] as const satisfies readonly Tier[];
const BEAT_MS = 10_000;
/** The server's alert, or that it hung up: whichever the client reads first. */
const REFUSED_IN_HANDSHAKE = /^(client-certificate-refused|UND_ERR_SOCKET|ECONNRESET|EPIPE)$/;

async function started(t: Test, hows: number) {
  const stack = await startRenewingTiers(t);
  const unheld: CreatedAccessKey[] = [];
  for (let key = 0; key < hows + 1; key += 1) unheld.push(await stack.createAccessKey());
  const held = unheld.pop();
  if (!held) throw new Error('no access key');
  // The first fetch and the first news take a beat.
  while ((await ask(stack, held)) !== 200) await stack.clock.leapTo(stack.clock.now() + 500);
  const { requests, hopClients } = await requestsEverywhere(t, stack, () => stack.signedWith(held));
  await requests.more();
  /** A key that nobody holds is fetched from tier to tier, on connections with what is in force now. */
  const fetches = async (when: string): Promise<void> => {
    const fresh = unheld.pop();
    if (!fresh) throw new Error('more access keys are needed');
    t.equal(await ask(stack, fresh), 200, `${when}: a key is fetched from tier to tier`);
  };
  return { stack, requests, hopClients, fetches };
}

async function ask(stack: RenewingTiers, accessKey: CreatedAccessKey) {
  return (await send(stack.tiers.edge.service.addresses['proxy'] ?? '', stack.signedWith(accessKey))).status;
}

function place(authority: Authority, { cert }: TlsFiles): Promise<TlsFiles> {
  return renew({ authority, folder: dirname(cert), name: basename(cert, '.crt'), days: 1, now: Date.now() });
}

const serialIn = (file: string): string => new X509Certificate(readFileSync(file)).serialNumber;

/** The serial number of the certificate that a server shows to who comes now. */
async function shownBy(address: string | undefined): Promise<string> {
  const [host = '', port] = (address ?? '').split(':');
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  const serial = socket.getPeerX509Certificate()?.serialNumber ?? '';
  socket.destroy();
  return serial;
}

async function untilShown(stack: RenewingTiers, address: string | undefined, file: string): Promise<void> {
  while ((await shownBy(address)) !== serialIn(file)) await stack.clock.leapTo(stack.clock.now() + BEAT_MS);
}

async function nothingLost(t: Test, requests: SteadyRequests, when: string): Promise<void> {
  await requests.more();
  t.same(requests.lost, [], `${when}: no request lost`);
}

t.test('certificates of every tier renew under steady requests, on the beat and on a signal', async (t) => {
  const { stack, requests, hopClients, fetches } = await started(t, 8);
  const { tiers, publicFiles, authority } = stack;
  for (const how of ['beat', 'signal'] as const) {
    for (const tier of TIERS) {
      const { files, service } = tiers[tier];
      const before = serialIn(files.cert);
      await place(authority, files);
      t.not(serialIn(files.cert), before);
      await requests.more(1);
      if (how === 'signal') await service.reload();
      else await stack.clock.leapTo(stack.clock.now() + BEAT_MS);
      if (tier !== 'edge') await untilShown(stack, service.addresses['hop'], files.cert);
      await nothingLost(t, requests, `${tier}, ${how}`);
      await fetches(`${tier}, ${how}`);
    }
    await place(authority, publicFiles);
    if (how === 'signal') await tiers.edge.service.reload();
    await untilShown(stack, tiers.edge.service.addresses['proxyTls'], publicFiles.cert);
    await nothingLost(t, requests, `public certificate, ${how}`);
    for (const { files, reload } of hopClients) {
      await place(authority, files);
      await reload();
    }
    await nothingLost(t, requests, `clients of the hops, ${how}`);
  }
});

t.test('one authority takes over from another under steady requests; then the old one is refused', async (t) => {
  const { stack, requests, hopClients, fetches } = await started(t, 12);
  const { tiers, folder } = stack;
  await createAuthority({ folder: join(folder, 'successor'), trustDomain: TRUST_DOMAIN, now: Date.now() });
  const successor = await openAuthority({ folder: join(folder, 'successor') });
  const oldCa = join(folder, 'ca', 'ca.crt');
  const newCa = join(folder, 'successor', 'ca.crt');
  const holders: readonly (HopClient & { readonly who: string })[] = [
    ...hopClients.map((client, index) => ({ ...client, who: `client ${index}` })),
    ...TIERS.map((who) => ({ who, files: tiers[who].files, reload: () => tiers[who].service.reload() })),
  ];
  const stale = {
    edge: await stack.certificates.filesOf({ role: 'edge', region: REGION, service: 's3', name: 'old' }),
    region: await stack.certificates.filesOf({ role: 'region', region: REGION, name: 'old' }),
  };
  const bundle = join(folder, 'bundle.crt');
  await writeBundle({ from: [oldCa, newCa], file: bundle });

  const eachInTurn = async (order: readonly number[], what: string, change: (files: TlsFiles) => unknown) => {
    for (const index of order) {
      const holder = holders[index];
      if (!holder) throw new Error('no such holder');
      await change(holder.files);
      await holder.reload();
      await nothingLost(t, requests, `${what} at ${holder.who}`);
      if (TIERS.some((tier) => tier === holder.who)) await fetches(`${what} at ${holder.who}`);
    }
  };
  await eachInTurn([2, 0, 4, 1, 3], 'both authorities', ({ ca }) => copyFileSync(bundle, ca));
  await eachInTurn([3, 1, 4, 2, 0], 'a leaf of the new one', (files) => place(successor, files));

  /** What a holder of an old leaf hears, who trusts both authorities itself. */
  const oldLeafAt = async (server: 'region' | 'master', files: TlsFiles) => {
    copyFileSync(bundle, files.ca);
    const agent = createMtlsAgent({ credentials: await CredentialsStore.open(files), acceptsServer: () => true });
    t.teardown(() => agent.destroy());
    return async (): Promise<string> => {
      const url = `https://${tiers[server].service.addresses['hop'] ?? ''}${FEED_PATH}`;
      try {
        const { statusCode, body } = await request(url, { dispatcher: agent });
        await body.dump();
        return String(statusCode);
      } catch (error) {
        return error instanceof Error && 'code' in error ? String(error.code) : String(error);
      }
    };
  };
  const askers = [await oldLeafAt('region', stale.edge), await oldLeafAt('master', stale.region)];
  for (const asks of askers) t.equal(await asks(), '200', 'while both are trusted, an old leaf is served');
  await eachInTurn([4, 2, 0, 3, 1], 'the new one alone', ({ ca }) => copyFileSync(newCa, ca));
  for (const asks of askers) t.equal(await asks(), '401', 'an old leaf on a connection from before is refused');
  const anew = [await oldLeafAt('region', stale.edge), await oldLeafAt('master', stale.region)];
  for (const asks of anew) t.match(await asks(), REFUSED_IN_HANDSHAKE, 'an old leaf is refused');
});
