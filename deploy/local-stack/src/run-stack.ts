import { once } from 'node:events';
import { withMaster } from '@sigv4-keyd/keydctl';
import { createDisabledAccessKey, ensureAccessKey } from './access-key.js';
import { ensureCertificates, nameOf, OPERATOR, tlsFilesOf } from './certificates.js';
import { startChild, type Child, type ChildProgram } from './child.js';
import { ensureCustodyKey } from './custody-key.js';
import { startEmbeddedDatabase } from './database.js';
import { ensureFeedKeys } from './feed-keys.js';
import { requireFreePorts } from './free-ports.js';
import { ensureLedgerKey } from './ledger-key.js';
import { portPlan, portsOf } from './ports.js';
import type { Progress } from './progress.js';
import { prove, proofsOf } from './proof.js';
import { proveRevocation } from './revocation-proof.js';
import { takeRunLock } from './run-lock.js';
import { StackError } from './stack-error.js';
import { stackFacts, type StackFacts } from './stack-facts.js';
import { makeStateFolder, makeTierFolders, stateFolder, writePrivate, type StateFolder } from './state-folder.js';
import { local, tiersOf } from './tiers.js';

export interface StackOptions {
  readonly dir: string;
  readonly portBase: number;
  /** A PostgreSQL of one's own; absent: the embedded one. */
  readonly databaseUrl?: string | undefined;
}

export interface StackSurroundings {
  readonly progress: Progress;
  /** Its abortion stops the stack. */
  readonly signal: AbortSignal;
  readonly onReady: (facts: StackFacts) => void;
}

/** What was started, in that order, and how to stop it. */
type Stops = (readonly [name: string, stop: () => Promise<void>])[];

const ABANDONED_PATIENCE_MS = 20_000;

/**
 * Starts everything, upper tiers first, proves that it works, and resolves when `signal` has stopped it all, edges
 * first.
 * @throws StackError when it cannot start, or when a part of it ends on its own; everything is stopped then, too
 */
export async function runStack(options: StackOptions, surroundings: StackSurroundings): Promise<void> {
  const state = stateFolder(options.dir);
  await makeStateFolder(state);
  const lock = await takeRunLock(state.lock);
  const stops: Stops = [['the state folder', () => lock.release()]];
  const failure = new AbortController();
  const signal = AbortSignal.any([surroundings.signal, failure.signal]);
  const { progress } = surroundings;
  const start: Start = {
    options,
    state,
    stops,
    failure,
    signal,
    progress,
    patienceMs: lock.wasAbandoned ? ABANDONED_PATIENCE_MS : 0,
  };
  try {
    surroundings.onReady(await startAll(start));
    if (!signal.aborted) await once(signal, 'abort');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await stopAll(stops, progress);
  }
  if (failure.signal.aborted) throw failure.signal.reason;
}

interface Start {
  readonly options: StackOptions;
  readonly state: StateFolder;
  readonly stops: Stops;
  readonly failure: AbortController;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly patienceMs: number;
}

async function startAll(start: Start): Promise<StackFacts> {
  const { state, progress, signal } = start;
  const plan = portPlan(start.options.portBase);
  const tiers = tiersOf(state, plan);
  const ports = portsOf(plan, start.options.databaseUrl === undefined);
  await requireFreePorts({ ports, patienceMs: start.patienceMs, signal });
  await progress.step('certificates', () => ensureCertificates(state, Date.now()));
  await ensureCustodyKey(state);
  await ensureFeedKeys(state);
  await ensureLedgerKey(state);
  await makeTierFolders(
    state,
    [...tiers.regions, ...tiers.edges].map(({ name }) => name),
  );
  await startDatabase(start, plan.postgres);
  const first = await startTogether(start, 'master-keyd and the upstream', [tiers.master, tiers.upstream]);
  const operator = { url: new URL(`https://${local(plan.master.listen)}`), files: tlsFilesOf(state, nameOf(OPERATOR)) };
  const keys = await progress.step('an access key', () =>
    withMaster(operator, Date.now(), async (master) => ({
      accessKey: await ensureAccessKey(master, state),
      disabled: await createDisabledAccessKey(master),
    })),
  );
  const regions = await startTogether(start, 'region-keyd in both regions', tiers.regions);
  const edges = await startTogether(start, 'edge-verifier for both services in both regions', tiers.edges);
  progress.heading('It proves itself:');
  for (const proof of proofsOf(plan, keys)) {
    signal.throwIfAborted();
    await progress.step(proof.title, () => prove(proof));
  }
  const [edge] = plan.edges;
  if (edge) {
    const title = `signed with an access key that was revoked, at the edge of ${edge.service} in ${edge.region}`;
    await progress.step(title, () =>
      withMaster(operator, Date.now(), (master) => proveRevocation(master, edge, signal)),
    );
  }
  await withMaster(operator, Date.now(), (master) => master.change([keys.disabled.accessKeyId], { kind: 'delete' }));
  const children = [...first, ...regions, ...edges];
  const facts = stackFacts({ state, plan, accessKey: keys.accessKey, children });
  await writePrivate(state.facts, JSON.stringify(facts));
  return facts;
}

async function startDatabase({ options, state, stops, failure, progress, signal }: Start, port: number): Promise<void> {
  signal.throwIfAborted();
  if (options.databaseUrl !== undefined) {
    await writePrivate(state.databaseUrl, options.databaseUrl);
    return;
  }
  const onUnexpectedExit = (lastLines: string): void =>
    failure.abort(new StackError(`PostgreSQL ended. The end of its log:\n${lastLines}`));
  const database = await progress.step('PostgreSQL', () => startEmbeddedDatabase({ state, port, onUnexpectedExit }));
  stops.push(['PostgreSQL', () => database.stop()]);
}

async function startTogether(
  start: Start,
  title: string,
  programs: readonly ChildProgram[],
): Promise<readonly Child[]> {
  const { state, signal, failure, stops } = start;
  const surroundings = { logs: state.logs, signal, onUnexpectedExit: (error: StackError) => failure.abort(error) };
  return start.progress.step(title, async () => {
    const started = await Promise.allSettled(programs.map((program) => startChild(program, surroundings)));
    const children = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    stops.push([title, () => stopTogether(children)]);
    for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
    return children;
  });
}

async function stopTogether(children: readonly Child[]): Promise<void> {
  await Promise.all(children.map((child) => child.stop()));
}

/** The last started first; what does not stop as it should keeps nothing else from stopping. */
async function stopAll(stops: Stops, progress: Progress): Promise<void> {
  if (stops.length > 1) progress.heading('Stopping:');
  const failures: unknown[] = [];
  for (const [name, stop] of stops.toReversed()) {
    await progress.step(name, stop).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
