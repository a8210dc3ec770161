import { addDays, formatAmzDate, isScopeDate, parseAmzDate } from '@sigv4-keyd/sigv4-core';
import { quoted } from '../finding.js';
import type { Family } from '../mistake.js';
import { valuesOf } from '../sketch.js';

/** A key for another scope than the one that is named, and dates that differ between the places that hold one. */
export const scopeMistakes: Family = function* (sketch, { request, presented }) {
  const { derivation } = sketch;
  const days = isScopeDate(presented.date) ? [addDays(presented.date, -1), addDays(presented.date, 1)] : [];
  for (const date of days) {
    yield {
      about: 'key scope',
      sketch: { ...sketch, derivation: { ...derivation, date } },
      finding: {
        id: 'key-of-another-day',
        what: `The signing key is of ${date}, and the credential scope of ${presented.date}.`,
        next: 'Derive the key anew for each UTC day.',
      },
    };
  }
  for (const region of REGIONS) {
    if (region === presented.region) continue;
    const what = `The signing key is for the region ${quoted(region)}, and the scope for ${quoted(presented.region)}.`;
    const finding = { id: 'key-of-another-region', what, next: 'Use one region in both places.' };
    yield { about: 'key scope', sketch: { ...sketch, derivation: { ...derivation, region } }, finding };
  }
  for (const service of SERVICES) {
    if (service === presented.service) continue;
    const what = `The signing key is for the service ${quoted(service)}, and the scope for ${quoted(presented.service)}.`;
    const finding = { id: 'key-of-another-service', what, next: 'Use one service in both places.' };
    yield { about: 'key scope', sketch: { ...sketch, derivation: { ...derivation, service } }, finding };
  }
  for (const amzDate of otherDates(sketch.amzDate, request.rawHeaders)) {
    if (amzDate === sketch.amzDate) continue;
    yield {
      about: 'date',
      sketch: { ...sketch, amzDate },
      finding: {
        id: 'date-differs',
        what: `The string to sign holds the time ${quoted(amzDate)}, and x-amz-date says ${quoted(sketch.amzDate)}.`,
        next: 'Take the time once, and use it in all places.',
      },
    };
  }
};

const REGIONS = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'eu-west-1',
  'eu-central-1',
  'ap-southeast-1',
  'auto',
  '',
];
const SERVICES = ['s3', 'execute-api', 'es', 'aoss', 'sts', 'iam', 'lambda', 'dynamodb', 'sqs', 'sns', ''];

/** The date of the Date header, and neighbouring seconds: clients ask the clock twice. */
function otherDates(amzDate: string, rawHeaders: readonly string[]): readonly string[] {
  const written = Date.parse(valuesOf(rawHeaders, 'date')[0] ?? '');
  const at = parseAmzDate(amzDate)?.at;
  return [
    ...(Number.isNaN(written) ? [] : [formatAmzDate(written)]),
    ...(at === undefined ? [] : [formatAmzDate(at - 1000), formatAmzDate(at + 1000)]),
    ...valuesOf(rawHeaders, 'date'),
  ];
}
