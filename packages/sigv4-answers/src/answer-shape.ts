import { isS3Service } from '@sigv4-keyd/sigv4-core';

/** How an error is written: as S3 does, as the JSON protocols do, as the query protocol (and other XML) does. */
export type AnswerShape = 's3' | 'json' | 'query';

// By signing name. All others speak JSON; what is told in the wrong shape is an unnamed error to an SDK.
const QUERY_SERVICES: ReadonlySet<string> = new Set([
  'autoscaling',
  'cloudformation',
  'cloudfront',
  'cloudsearch',
  'elasticache',
  'elasticbeanstalk',
  'elasticloadbalancing',
  'iam',
  'rds',
  'redshift',
  'route53',
  'sdb',
  'sns',
  'sts',
]);

/** The shape that the clients of a service read. */
export function answerShapeOf(service: string): AnswerShape {
  if (isS3Service(service)) return 's3';
  return QUERY_SERVICES.has(service) ? 'query' : 'json';
}
