// A worker of the tests: it begins and serves as one should, and then does what it is told by its argument.
import { Recipient } from '@sigv4-keyd/hop-protocol';

const [, , manner] = process.argv;
process.send?.({ ask: 1, name: 'begin', body: { recipient: new Recipient().publicKey } });
process.on('message', (message: object) => {
  if ('answer' in message && message.answer === 1) {
    process.send?.({ ask: 2, name: 'serving', body: { addresses: {}, feed: 1 } });
  }
  if (!('name' in message)) return;
  if (manner === 'garbage') process.send?.({ said: 'nothing that is known' });
  if (manner === 'unasked') process.send?.({ answer: 4_711, body: null });
  if (manner === 'made-up') process.send?.({ ask: 3, name: 'constructor', body: null });
});
process.on('disconnect', () => process.exit(0));
