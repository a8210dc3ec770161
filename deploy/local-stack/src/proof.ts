import type { Credentials, RefusalReason } from '@sigv4-keyd/sigv4-core';
import { askEdge, signed, type EdgeRequest } from './edge-request.js';
import type { EdgePorts, PortPlan } from './ports.js';
import { StackError } from './stack-error.js';
import { local } from './tiers.js';

/** One request and what must become of it. */
export interface Proof {
  readonly title: string;
  readonly edge: EdgePorts;
  /** Absent: unsigned. */
  readonly signer?: { readonly credentials: Credentials; readonly region: string };
  readonly expected: 'verified' | RefusalReason;
}

export interface ProofKeys {
  readonly accessKey: Credentials;
  /** Disabled before its first use. */
  readonly disabled: Credentials;
}

const TARGET = '/proof/hello.txt';

/** What the stack must do to be called running. */
export function proofsOf(plan: PortPlan, { accessKey, disabled }: ProofKeys): readonly Proof[] {
  const [home, away] = plan.regions.map(({ region }) => region);
  const at = (region: string | undefined): EdgePorts | undefined =>
    plan.edges.find((edge) => edge.region === region && edge.service === 's3');
  const [here, there] = [at(home), at(away)];
  if (here === undefined || there === undefined) throw new StackError('the stack has no edge of s3 in two regions');
  const signer = { credentials: accessKey, region: here.region };
  return [
    ...plan.edges.map((edge): Proof => {
      const title = `signed for ${edge.service} in ${edge.region}, at its edge`;
      return { title, edge, signer: { credentials: accessKey, region: edge.region }, expected: 'verified' };
    }),
    {
      title: `signed for ${here.region}, at the edge of ${there.region}`,
      edge: there,
      signer,
      expected: 'wrong-region',
    },
    { title: `unsigned, at the edge of ${here.region}`, edge: here, expected: 'missing-authentication' },
    {
      title: 'signed with an access key that was disabled before its first use',
      edge: here,
      signer: { credentials: disabled, region: here.region },
      expected: 'access-key-disabled',
    },
  ];
}

/** Sends the request and resolves to the answer in words. @throws StackError when the stack does anything else */
export async function prove(proof: Proof): Promise<string> {
  const { status, verdict, body } = await askEdge(local(proof.edge.proxy), requestOf(proof));
  if (verdict !== proof.expected) {
    throw new StackError(`${proof.title}: expected ${proof.expected}, got HTTP ${status} ${verdict}\n${body}`);
  }
  return verdict === 'verified' ? verdict : `refused: ${verdict} (HTTP ${status} ${awsCodeOf(body)})`;
}

function requestOf({ edge, signer }: Proof): EdgeRequest {
  const host = local(edge.proxy);
  if (signer === undefined) return { target: TARGET, headers: { host } };
  return signed({ host, target: TARGET, service: edge.service, at: Date.now(), ...signer });
}

/** The error code of an S3 answer, as clients print it. */
function awsCodeOf(body: string): string {
  return /<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? '';
}
