export { answerTo } from './answer.js';
export type { Answer, AnswerContext, ErrorFacts } from './answer.js';
export { answerShapeOf } from './answer-shape.js';
export type { AnswerShape } from './answer-shape.js';
export { ERROR_CODES } from './error-codes.js';
export type { ErrorCodes } from './error-codes.js';
export { FRONT_REFUSALS, sentenceOf } from './refusal.js';
export type { AnyRefusalReason, FrontRefusalReason, Refusal } from './refusal.js';
export { escapeXml } from './xml-text.js';
