/** One line a notifier. What is here is what each can do; sockets and packages are loaded when one is opened. */
export { zeromq } from './zeromq/zeromq.ts';
export { watching } from './watching/watching.ts';
export { polling } from './polling/polling.ts';
export { hybrid } from './hybrid/hybrid.ts';
export { ipc } from './ipc/ipc.ts';
export { redis } from './redis/redis.ts';
export { rabbitmq } from './rabbitmq/rabbitmq.ts';
