/** What a signed lift says of itself. */
interface LiftText {
  readonly lifts: string;
  readonly reason: string;
  readonly author: string;
}

/** Reads a compact JWS without judging its signature; undefined when it is no lift. */
export function readLift(jws: string): LiftText | undefined {
  const [, payload = ''] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(jws) ?? [];
  const lift = parsed(payload);
  if (typeof lift !== 'object' || lift === null) return undefined;
  const { kind, lifts, reason, author } = { kind: '', lifts: '', reason: '', author: '', ...lift };
  const isLift = kind === 'lift' && [lifts, reason, author].every((text) => typeof text === 'string' && text !== '');
  return isLift ? { lifts, reason, author } : undefined;
}

function parsed(base64url: string): unknown {
  try {
    const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
