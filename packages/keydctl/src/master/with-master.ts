import { MasterClient } from './master-client.js';
import { withPeer, type PeerAddress } from './with-peer.js';

/** Where master-keyd is, and the certificate to show it. */
export type MasterAddress = PeerAddress;

/** Runs `task` with a client of master-keyd, connected as the operator of the certificate. */
export function withMaster<Result>(
  address: MasterAddress,
  now: number,
  task: (master: MasterClient, trustDomain: string) => Promise<Result>,
): Promise<Result> {
  return withPeer('master', address, now, (peer, trustDomain) => task(new MasterClient(peer), trustDomain));
}
