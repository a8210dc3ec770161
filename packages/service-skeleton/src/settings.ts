import { accessSync, constants, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';

/** The kinds of value that a setting can have, each with an error that says what is expected. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT`, `[IPV6]:PORT` or `:PORT` (all addresses). Port 0 lets the system choose. */
export const listenAddress = z.string().transform((text, context): ListenAddress => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= 65_535) || (match?.[1] !== undefined && isIP(host) !== 6)) {
    context.issues.push({ code: 'custom', input: text, message: 'must be HOST:PORT, such as 0.0.0.0:8443' });
    return z.NEVER;
  }
  return { host: host === '' ? '::' : host, port };
});

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A number with a unit, `30s`, `15m`, `12h`, `7d`: seconds. */
export const seconds = z.string().transform((text, context): number => {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const unit = SECONDS[match?.[2] ?? ''];
  if (!match || unit === undefined) {
    context.issues.push({ code: 'custom', input: text, message: 'must be a number with a unit: 30s, 15m, 12h, 7d' });
    return z.NEVER;
  }
  return Number(match[1]) * unit;
});

const SIZES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** A number with a unit, `64KiB`, `5GiB`: bytes. */
export const bytes = z.string().transform((text, context): number => {
  const match = /^(\d{1,9})(B|KiB|MiB|GiB)$/.exec(text);
  const unit = SIZES[match?.[2] ?? ''];
  if (!match || unit === undefined) {
    context.issues.push({ code: 'custom', input: text, message: 'must be a number with a unit: 512B, 64KiB, 5GiB' });
    return z.NEVER;
  }
  return Number(match[1]) * unit;
});

/** A whole number written in digits. */
export const count = z
  .string()
  .regex(/^\d{1,12}$/, 'must be a whole number')
  .transform(Number);

/** `a,b,c`: the parts, trimmed, none of them empty. */
export const list = z.string().transform((text, context): readonly string[] => {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.includes('')) {
    context.issues.push({ code: 'custom', input: text, message: 'must be a list separated by commas, without gaps' });
  }
  return parts;
});

/** One or more base URLs, nearest first: scheme, host and port, nothing else. */
export const httpsUrls = list.transform((texts, context): readonly URL[] =>
  texts.flatMap((text) => {
    const url = originOf(text, ['https:']);
    if (url) return [url];
    context.issues.push({ code: 'custom', input: text, message: `${text} must be https://HOST:PORT without a path` });
    return [];
  }),
);

/** One base URL of an upstream. */
export const httpUrl = z.string().transform((text, context): URL => {
  const url = originOf(text, ['http:', 'https:']);
  if (url) return url;
  context.issues.push({ code: 'custom', input: text, message: 'must be http(s)://HOST:PORT without a path' });
  return z.NEVER;
});

/** A file that exists and that this process may read. */
export const readableFile = z
  .string()
  .refine((path) => {
    try {
      accessSync(path, constants.R_OK);
      return true;
    } catch {
      return false;
    }
  }, 'must name a file that exists and that this process may read')
  .meta({ names: 'file' });

/** A folder that exists and that this process may write to. */
export const writableFolder = z
  .string()
  .refine((path) => {
    try {
      accessSync(path, constants.W_OK | constants.X_OK);
      return statSync(path).isDirectory();
    } catch {
      return false;
    }
  }, 'must name a folder that exists and that this process may write to')
  .meta({ names: 'folder' });

export const yesOrNo = z.enum(['yes', 'no']).transform((word) => word === 'yes');

export const trustDomain = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?$/,
    'must be a SPIFFE trust domain: lower case, such as keyd.example',
  );

export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

function originOf(text: string, schemes: readonly string[]): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  // The text of a URL tells of a lonely "?" or "#" too, which its parts do not.
  const isBare = url.href === `${url.origin}/`;
  return isBare && schemes.includes(url.protocol) ? url : undefined;
}
