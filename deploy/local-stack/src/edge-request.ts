import { request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { EMPTY_BODY_SHA256, presignRequest, signRequest, type Credentials } from '@sigv4-keyd/sigv4-core';

/** What an edge made of a request. */
export interface EdgeAnswer {
  /** `verified`, or the reason of the refusal. */
  readonly verdict: string;
  readonly status: number;
  readonly body: string;
}

/** A GET as it is sent to an edge. */
export interface EdgeRequest {
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Signing {
  /** HOST:PORT of the edge. */
  readonly host: string;
  readonly target: string;
  readonly credentials: Credentials;
  readonly region: string;
  readonly service: string;
  /** When it is signed, epoch milliseconds. */
  readonly at: number;
}

export function signed({ host, target, credentials, region, service, at }: Signing): EdgeRequest {
  const unsigned = { method: 'GET', target, headers: [['host', host]] as const };
  const payload = { kind: 'exact', sha256: EMPTY_BODY_SHA256 } as const;
  const { headers } = signRequest(unsigned, credentials, { now: at, region, service, payload });
  return { target, headers: { host, ...Object.fromEntries(headers) } };
}

/** As a URL that lives for a week, the longest that there is. */
export function presigned({ host, target, credentials, region, service, at }: Signing): EdgeRequest {
  const unsigned = { method: 'GET', target, headers: [['host', host]] as const };
  const signing = { now: at, region, service, expiresSeconds: 7 * 86_400 };
  return { target: presignRequest(unsigned, credentials, signing).target, headers: { host } };
}

export function askEdge(host: string, { target, headers }: EdgeRequest): Promise<EdgeAnswer> {
  return new Promise((resolve, reject) => {
    const request = send(`http://${host}${target}`, { headers, agent: false }, (answer) => {
      text(answer).then((body) => {
        const status = answer.statusCode ?? 0;
        const reason = answer.headers['x-keyd-reason'];
        const refused = typeof reason === 'string' ? reason : `HTTP status ${status} without a reason`;
        resolve({ verdict: status === 200 ? 'verified' : refused, status, body });
      }, reject);
    });
    request.once('error', reject);
    request.end();
  });
}
