import {
  COUNTED_CALLS_PATH,
  countedCalls,
  type CountedCall,
  type CountedCalls,
  type PeerClient,
} from '@sigv4-keyd/hop-protocol';

/** All that a signer has counted and not forgotten. */
export async function downloadCountedCalls(signer: PeerClient): Promise<readonly CountedCall[]> {
  const calls: CountedCall[] = [];
  let from: number | undefined = 0;
  while (from !== undefined) {
    const { calls: page, next }: CountedCalls = await pageFrom(signer, from);
    for (const call of page) calls.push(call);
    // A page that does not lead onwards would be asked for for ever.
    from = next !== undefined && next > from ? next : undefined;
  }
  return calls;
}

function pageFrom(signer: PeerClient, from: number): Promise<CountedCalls> {
  return signer.call({ method: 'GET', path: `${COUNTED_CALLS_PATH}?from=${from}`, answer: countedCalls });
}
