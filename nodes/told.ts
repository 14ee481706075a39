/** What a feed tells between records, in a node's log: what an operator would act on, and that it is over. */
import type { FeedEvent } from '../lib/feed/record.ts';
import type { Logger } from '../lib/world/logger.ts';

type Told = Pick<Logger, 'info' | 'warn' | 'error'>;

/** A teller of one feed's events: it knows which logs it has said to be without notices. */
export function tellEvents(logger: Told): (event: FeedEvent) => void {
  const polled = new Set<string>();
  return (event) => {
    switch (event.state) {
      case 'notifier': {
        const { notifier, endpoint, why } = event;
        const facts = { notifier, endpoint, ...(why === undefined ? {} : { why }) };
        if (event.is === 'on') logger.info(facts, 'a way of being told is back');
        else logger.warn(facts, `a way of being told is ${event.is}: the others and polling go on`);
        break;
      }
      case 'degraded':
        polled.add(event.log!);
        logger.warn({ log: event.log }, 'no notices come of a log: it is polled');
        break;
      case 'live':
        if (polled.delete(event.log!)) logger.info({ log: event.log }, 'notices come again');
        break;
      case 'damaged': {
        const { log, position } = event;
        logger.error({ log, position }, 'announced bytes of a log cannot be read');
        break;
      }
      case 'gap': {
        const { log, from, to } = event;
        logger.warn({ log, from, to }, 'records were taken by retention before they were read');
        break;
      }
      case 'rewound': {
        const { log, from, to, lines } = event;
        logger.warn({ log, from, to, lines }, 'a log was cut back: what follows is read anew');
        break;
      }
      case 'behind':
      case 'caughtUp':
        break;
    }
  };
}
