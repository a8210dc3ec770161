import type { RevocationRequest } from '@sigv4-keyd/hop-protocol';
import { withMaster } from '@sigv4-keyd/keydctl';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { pin } from '../pinning.js';
import { ProbedProcess } from '../rollover/probed-process.js';
import { REGION, RolloverStack, SERVICE } from '../rollover/rollover-stack.js';
import { EDGES_OF_AN_IDENTITY, type CrowdOptions } from './crowd-messages.js';
import { EdgeCrowd } from './edge-crowd.js';

/** The region is alone on the one core, everybody else on the other. */
const CORES = { region: 0, others: 1 } as const;

type Files = CrowdOptions['identities'][number];

/** A master, a region, and one edge that is whole; the others are simulated. */
export class RevocationStack {
  readonly region: ProbedProcess;
  readonly edge: ProbedProcess;
  readonly isPinned: boolean;
  readonly #stack: RolloverStack;
  readonly #urls: { readonly master: string; readonly region: string };
  readonly #operator: Files;
  readonly #identities: Files[] = [];
  #revoked = 0;

  private constructor(
    stack: RolloverStack,
    urls: { readonly master: string; readonly region: string },
    tiers: { readonly master: ProbedProcess; readonly region: ProbedProcess; readonly edge: ProbedProcess },
    operator: Files,
  ) {
    this.#stack = stack;
    this.#urls = urls;
    this.region = tiers.region;
    this.edge = tiers.edge;
    this.#operator = operator;
    const others = [tiers.master, tiers.edge].map(({ pid }) => pin(pid, CORES.others));
    this.isPinned = pin(tiers.region.pid, CORES.region) && others.every(Boolean);
  }

  static async start(portBase: number): Promise<RevocationStack> {
    const stack = await RolloverStack.create(1, portBase);
    try {
      const { master, url } = await stack.master();
      const { region, url: regionUrl } = await stack.region('region', url, 'used');
      await region.ready();
      const edge = await stack.edge('whole-edge', regionUrl, 'used');
      await edge.ready();
      const urls = { master: url, region: regionUrl };
      return new RevocationStack(stack, urls, { master, region, edge }, await filesOf(stack, 'operator/bench'));
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  /** So many edges more, of which `verifying` verify what they are told. */
  async crowd(edges: number, verifying: number): Promise<EdgeCrowd> {
    const wanted = Math.ceil(edges / EDGES_OF_AN_IDENTITY);
    while (this.#identities.length < wanted) {
      const name = `edge/${REGION}/${SERVICE}/simulated-${this.#identities.length}`;
      this.#identities.push(await filesOf(this.#stack, name));
    }
    const crowd = await EdgeCrowd.connect({
      region: this.#urls.region,
      feedKeysFile: this.#stack.feedKeysFile,
      identities: this.#identities.slice(0, wanted),
      edges,
      verifying,
    });
    pin(crowd.pid, CORES.others);
    return crowd;
  }

  /** As `keydctl revoke`: resolves with the master's answer. */
  async revoke(): Promise<void> {
    this.#revoked += 1;
    const today = scopeDateOf(Date.now());
    const request: RevocationRequest = {
      region: REGION,
      from: today,
      to: today,
      // Hits no access key: they were all created later.
      issuedBefore: new Date(this.#revoked).toISOString(),
      incident: 'BENCH',
      reason: 'measuring how long it takes',
    };
    const address = { url: new URL(this.#urls.master), files: this.#operator };
    await withMaster(address, Date.now(), (master) => master.revoke(request));
  }

  close(): Promise<void> {
    return this.#stack.close();
  }
}

async function filesOf(stack: RolloverStack, path: string): Promise<Files> {
  const { KEYD_TLS_CERT: cert, KEYD_TLS_KEY: key, KEYD_TLS_CA: ca } = await stack.identity(path);
  return { cert, key, ca };
}
