export { askingSpan, withTraceparent, type Asking } from './asking-span.js';
export { SPAN_ATTRIBUTES, type SpanAttribute, type SpanFacts } from './span-attributes.js';
export {
  addFacts,
  failureType,
  markFailed,
  noteFacts,
  tracerOfTheProgram,
  withinSpan,
  type SpanOf,
} from './within-span.js';
