import { createHmac } from 'node:crypto';
import {
  canonicalRequest,
  examineRequest,
  isRefused,
  scopeDateOf,
  sha256Hex,
  type VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import { HOST, NOW, SECRET, type Message, type Reply } from '../edge-verifier/client.js';
import { policyWith } from '../sigv4-core/policy.js';
import { spellings } from '../support/spellings.js';

const DAY = 86_400_000;

/** All that the fronts of a test answered and logged, and what must not be in it. */
export class Output {
  readonly #answers: string[] = [];
  readonly #logs: (readonly string[])[] = [];
  readonly #signatures = new Set<string>();
  readonly #tokens: string[] = [];

  answered({ rawHeaders, body }: Reply): void {
    this.#answers.push(rawHeaders.join('\n'), body);
  }

  /** Raw bytes, latin1. */
  answeredRaw(answer: string): void {
    this.#answers.push(answer);
  }

  follow(log: readonly string[]): void {
    this.#logs.push(log);
  }

  /** Adds the signatures that an honest message carries: whoever sees one could send the message again. */
  expectSignaturesOf(honest: Message): void {
    const written = `${JSON.stringify(honest.headers)}${honest.target}${honest.body.toString('latin1')}`;
    for (const [, signature = ''] of written.matchAll(/signature(?:[=:]|"\r\n\r\n)([0-9a-f]{64})/gi))
      this.#signatures.add(signature);
  }

  /** Adds the signature that a hostile message would have to carry. */
  expectSignatureFor(hostile: Message): void {
    const expected = expectedSignature(hostile);
    if (expected !== undefined) this.#signatures.add(expected);
  }

  /** Adds a session token, which nobody may see but who sent it. */
  expectToken(token: string): void {
    this.#tokens.push(token);
  }

  /** What of the secret, of its rungs and of the signatures came out; nothing, where all is well. */
  leaks(): readonly string[] {
    const everything = Buffer.from([...this.#answers, ...this.#logs.flat()].join('\n'), 'latin1');
    const found: string[] = [];
    for (const [name, key] of rungsOf(scopeDateOf(NOW))) {
      if (spellings(key).some((spelling) => everything.includes(spelling))) found.push(name);
    }
    if (this.#tokens.some((token) => everything.includes(token))) found.push('a session token');
    const keys = new Map<string, string>();
    for (let day = -9; day <= 1; day += 1) {
      for (const [name, key] of rungsOf(scopeDateOf(NOW + day * DAY))) keys.set(key.toString('hex'), name);
    }
    for (const hex of thirtyTwoBytesIn(everything.toString('latin1'))) {
      const name = keys.get(hex);
      if (name !== undefined) found.push(`${name} as a word`);
      if (this.#signatures.has(hex)) found.push(`a signature: ${hex}`);
    }
    return found;
  }

  /** How much there was to search, and for how many signatures. */
  get size(): { readonly lines: number; readonly signatures: number } {
    return { lines: this.#answers.length + this.#logs.flat().length, signatures: this.#signatures.size };
  }
}

/** Every word that could be 32 bytes, in hex. */
function thirtyTwoBytesIn(text: string): ReadonlySet<string> {
  const hex = [...text.matchAll(/(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])/g)].map(([word]) => word.toLowerCase());
  const base64 = [...text.matchAll(/(?<![\w+/-])[\w+/-]{43}(?![\w+/-])/g)].map(([word]) =>
    Buffer.from(word, 'base64').toString('hex'),
  );
  return new Set([...hex, ...base64]);
}

/** The ladder by node:crypto alone, for every region and service that the attacks name. */
function rungsOf(date: string): readonly (readonly [name: string, key: Buffer])[] {
  const down = (key: Buffer, part: string): Buffer => createHmac('sha256', key).update(part).digest();
  const kSecret = Buffer.from(`AWS4${SECRET}`);
  const kDate = down(kSecret, date);
  const lower = ['eu-west-1', 'us-east-1'].flatMap((region) => {
    const kRegion = down(kDate, region);
    const kService = down(kRegion, 's3');
    const of = `of ${date} in ${region}`;
    return [
      [`kRegion ${of}`, kRegion],
      [`kService ${of}`, kService],
      [`kSigning ${of}`, down(kService, 'aws4_request')],
    ] as const;
  });
  return [['the secret', Buffer.from(SECRET)], ['kSecret', kSecret], [`kDate of ${date}`, kDate], ...lower];
}

const OPEN: VerificationPolicy = policyWith({
  region: 'eu-west-1',
  service: 's3',
  pathRule: 's3',
  acceptsHost: (host) => host.endsWith(HOST),
});

/** What a verifier computes for a message that gets as far as that; undefined for the others. */
function expectedSignature({ method, target, headers, body }: Message): string | undefined {
  const examined = examineRequest({ method, target, rawHeaders: headers.flat() }, OPEN, NOW);
  if (isRefused(examined)) return undefined;
  const { payload, request, scope, amzDate } = examined;
  const stated = payload.kind === 'exact' ? payload.sha256 : request.headers.get('x-amz-content-sha256');
  const canonical = canonicalRequest(request, stated ?? sha256Hex(body));
  const text = `AWS4-HMAC-SHA256\n${amzDate}\n${scope.date}/eu-west-1/s3/aws4_request\n${sha256Hex(Buffer.from(canonical, 'latin1'))}`;
  const kSigning = rungsOf(scope.date).find(([name]) => name === `kSigning of ${scope.date} in eu-west-1`)?.[1] ?? '';
  return createHmac('sha256', kSigning).update(text).digest('hex');
}
