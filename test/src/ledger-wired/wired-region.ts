import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { mtlsKeySource, PeerClient, SERVICE_KEYS, type ServiceKeySource } from '@sigv4-keyd/hop-protocol';
import { configuration, startRegionKeyd, type RegionContext } from '@sigv4-keyd/region-keyd';
import { readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import { publicJwks } from '@sigv4-keyd/revocation';
import type { Test } from 'tap';
import { capturedLog, recordingInto, sharedFeedKeys, type MasterUnderTest } from '../master-keyd/master-under-test.js';
import { newStateFolder } from '../support/state-folder.js';
import { tierSettings } from '../support/tier-settings.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

export interface WiredRegion {
  readonly service: RunningService;
  readonly stateFolder: string;
  readonly logged: readonly string[];
  /** Every byte of every answer's body that edges received. */
  readonly received: readonly Buffer[];
  readonly edge: (name?: string) => Promise<ServiceKeySource>;
  readonly edgeClient: (name?: string) => Promise<PeerClient>;
  readonly status: () => Promise<Readonly<Record<string, unknown>>>;
}

export interface RegionOptions extends Pick<RegionContext, 'makeDurable'> {
  readonly stateFolder?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A region of us-east-1 below a master, over real mTLS, on the master's clock. */
export async function wiredRegion(t: Test, master: MasterUnderTest, options: RegionOptions = {}): Promise<WiredRegion> {
  const { authority, clock } = master;
  const stateFolder = options.stateFolder ?? newStateFolder(t);
  const { log, logged } = capturedLog();
  const { makeDurable } = options;
  const masterUrl = `https://${master.service.addresses['hop'] ?? ''}`;
  const service = await startRegionKeyd(
    readConfiguration(configuration, {
      ...(await regionEnvironment(master, { stateFolder, masterUrl })),
      ...options.env,
    }),
    { clock, log, timer: STANDING_TIMER, random: () => 0.5, ...(makeDurable && { makeDurable }) },
  );
  let isClosed: Promise<void> | undefined;
  const close = (): Promise<void> => (isClosed ??= service.close());
  t.teardown(close);
  const received: Buffer[] = [];
  const edgeClient = async (name = 'e1'): Promise<PeerClient> => {
    const credentials = await authority.credentials({ role: 'edge', region: 'us-east-1', service: 's3', name });
    const agent = createMtlsAgent({
      credentials,
      timer: STANDING_TIMER,
      acceptsServer: ({ segments }) => segments[0] === 'region',
    });
    t.teardown(() => agent.close());
    const urls = [new URL(`https://${service.addresses['hop'] ?? ''}`)];
    return new PeerClient({ urls, dispatcher: agent.compose(recordingInto(received)), timer: STANDING_TIMER });
  };
  return {
    service: { ...service, close },
    stateFolder,
    logged,
    received,
    edgeClient,
    edge: async (name) => mtlsKeySource(SERVICE_KEYS, { region: 'us-east-1', service: 's3' }, await edgeClient(name)),
    async status() {
      const answer = await fetch(`http://${service.addresses['health'] ?? ''}/status`);
      return (await answer.json()) as Readonly<Record<string, unknown>>;
    },
  };
}

/** The environment of a region that lacks nothing. */
export async function regionEnvironment(
  { authority }: Pick<MasterUnderTest, 'authority'>,
  { stateFolder, masterUrl }: { readonly stateFolder: string; readonly masterUrl: string },
): Promise<Record<string, string>> {
  const files = await authority.filesOf({ role: 'region', region: 'us-east-1', name: 'r1' });
  const { revocation, beacon, root } = await sharedFeedKeys();
  return {
    ...tierSettings(files, JSON.stringify(publicJwks([revocation, beacon, root])), stateFolder),
    KEYD_LISTEN: '127.0.0.1:0',
    KEYD_MASTERS: masterUrl,
  };
}
