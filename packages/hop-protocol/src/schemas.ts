import { isAccessKeyId, isRegionName, isScopeDate, isServiceName, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { isErrorCode, type ErrorCode } from './errors.js';

/** The parts that messages are made of. Every answer of a peer is checked against these before it is believed. */
export const scopeDate = z
  .string()
  .refine((text): text is ScopeDate => isScopeDate(text), 'must be a UTC day written YYYYMMDD')
  .meta({ description: 'A UTC day, YYYYMMDD', example: '20261122' });
export const accessKeyId = z
  .string()
  .refine(isAccessKeyId, 'must be an access key id: 3 to 128 letters, digits or underscores')
  .meta({ description: 'An access key id', example: 'AKIAIOSFODNN7EXAMPLE' });
export const regionName = z.string().refine(isRegionName, 'must be a region name, such as eu-west-1');
export const serviceName = z.string().refine(isServiceName, 'must be a service name, such as s3');
/** Whom a session is for: what IAM takes for the name of a role session. It travels in a header of ours. */
export const sessionName = z
  .string()
  .regex(/^[A-Za-z0-9_+=,.@-]{2,64}$/, 'must be 2 to 64 letters, digits or characters of _+=,.@-')
  .meta({ description: 'The name of a session', example: 'alice' });
export const instant = z.iso.datetime({ offset: false }).meta({ description: 'An instant, ISO 8601, UTC' });

const errorCode = z.string().refine((text): text is ErrorCode => isErrorCode(text), 'must be a known error code');

/** The body of every answer that is not a success. */
export const errorAnswer = z.object({
  error: z.object({
    code: errorCode,
    message: z.string(),
    detail: z.string().optional(),
    requestId: z.string(),
  }),
});
export type ErrorAnswer = z.infer<typeof errorAnswer>;
