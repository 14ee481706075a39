/** This process' own channel to its parent. */
import type { ProcessPort } from '../notifier.ts';

export const ownPort: ProcessPort = {
  get connected() {
    return process.connected === true;
  },
  send(message, done) {
    if (process.send === undefined || !process.connected) done();
    else process.send(message, undefined, undefined, done);
  },
  receive(onMessage, onClosed) {
    process.on('message', onMessage);
    process.on('disconnect', onClosed);
    return () => {
      process.off('message', onMessage);
      process.off('disconnect', onClosed);
    };
  },
};
