/**
 * How the canonical URI is made of the path.
 *
 * | rule       | normalised | encoded                                            |
 * |------------|------------|----------------------------------------------------|
 * | `s3`       | never      | once: the wire path's own encoding, made uniform    |
 * | `standard` | yes        | twice: the wire path, encoded as it is once more    |
 */
export type PathRule = 's3' | 'standard';

const S3_SERVICES: ReadonlySet<string> = new Set(['s3', 's3express', 's3-object-lambda', 's3-outposts']);

/** True for the services that follow S3's own rules of signing. */
export function isS3Service(service: string): boolean {
  return S3_SERVICES.has(service);
}

/** The path rule that clients follow for a service. */
export function pathRuleOf(service: string): PathRule {
  return isS3Service(service) ? 's3' : 'standard';
}
