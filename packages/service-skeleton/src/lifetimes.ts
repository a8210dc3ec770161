import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { certificateValidity } from '@sigv4-keyd/fastify-mtls';
import { RELOAD_EVERY_MS } from './credentials.js';
import type { Relation } from './relations.js';
import type { ServiceSettings } from './service-settings.js';

/** A renewed certificate has to be seen while the old one is still good: this many looks at its file have to fit. */
const FEWEST_LOOKS = 2;

type SharedSettings = Pick<ServiceSettings, 'tlsCert' | 'clockSkew' | 'longestPresigned'>;

/** How the lifetimes that every service has must stand to each other. */
export const SHARED_LIFETIMES: readonly Relation<SharedSettings>[] = [
  {
    between: ['tlsCert'],
    problem: ({ tlsCert }: SharedSettings): string | undefined => {
      const life = certificateLife(tlsCert);
      const least = FEWEST_LOOKS * (RELOAD_EVERY_MS / 1000);
      if (life === undefined || life >= least) return undefined;
      const sum = `${FEWEST_LOOKS} x ${RELOAD_EVERY_MS / 1000}s = ${least}s`;
      return `the certificate of KEYD_TLS_CERT lives for ${life}s, but must live for ${sum}: its file is looked at so often`;
    },
  },
  {
    between: ['tlsCert', 'clockSkew'],
    isDoubtful: true,
    problem: ({ tlsCert, clockSkew }: SharedSettings): string | undefined => {
      const life = certificateLife(tlsCert);
      if (life === undefined || life > clockSkew) return undefined;
      return (
        `the certificate of KEYD_TLS_CERT lives for ${life}s, no longer than the clocks of peers may differ ` +
        `(KEYD_CLOCK_SKEW, ${clockSkew}s): some peers may never find it good`
      );
    },
  },
  {
    between: ['longestPresigned', 'clockSkew'],
    isDoubtful: true,
    problem: ({ longestPresigned, clockSkew }) =>
      longestPresigned > clockSkew
        ? undefined
        : `presigned URLs live for ${longestPresigned}s at most (KEYD_LONGEST_PRESIGNED), no longer than clocks may differ ` +
          `(KEYD_CLOCK_SKEW, ${clockSkew}s): some end before they begin`,
  },
];

/** Seconds; undefined for a file that holds no certificate, which is told when its credentials are read. */
function certificateLife(path: string): number | undefined {
  try {
    const { notBefore, notAfter } = certificateValidity(new X509Certificate(readFileSync(path)));
    return Math.floor((notAfter.getTime() - notBefore.getTime()) / 1000);
  } catch {
    return undefined;
  }
}
