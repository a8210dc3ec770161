import { list } from '@sigv4-keyd/service-skeleton';
import { ALGORITHMS, type Algorithm } from '@sigv4-keyd/sigv4-core';

const NAMES: string = ALGORITHMS.join(' and ');

/** Names of algorithms, separated by commas, each once. */
export const algorithms = list.transform((names, context): readonly Algorithm[] => {
  const known = ALGORITHMS.filter((algorithm) => names.includes(algorithm));
  if (known.length < names.length) {
    context.issues.push({ code: 'custom', input: names, message: `must be of ${NAMES}, each once` });
  }
  return known;
});
