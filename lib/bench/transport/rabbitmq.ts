/**
 * RabbitMQ over a broker of the bench's own: a fanout exchange and a queue of the reader's own. Transient: nothing is kept
 * or acknowledged. Confirmed: a durable queue, persistent messages, publisher confirms, consumer acknowledgements.
 */
import type { Channel, ConfirmChannel } from 'amqplib';
import { Tail, appending } from './file-disk.ts';
import type { Place, Transport } from './transport.ts';

const EXCHANGE = 'data_available';
const NOTHING = Buffer.alloc(0);

const rabbitmqWay = (confirmed: boolean): Transport => {
  const open = async ({ servers, folder }: Place, confirms: boolean) => {
    const { connect } = await import('amqplib');
    const model = await connect(servers.rabbitmq!);
    const channel: Channel | ConfirmChannel = confirms
      ? await model.createConfirmChannel()
      : await model.createChannel();
    // An exchange of this run's own.
    const exchange = `${EXCHANGE}.${folder.split('/').at(-1)}`;
    await channel.assertExchange(exchange, 'fanout', { durable: confirmed, autoDelete: true });
    return { model, channel, exchange };
  };
  return {
    name: confirmed ? 'rabbitmq-confirmed' : 'rabbitmq',
    title: `RabbitMQ fanout, ${confirmed ? 'persistent and confirmed' : 'transient'} + append + read`,
    side: 'peer',
    reads: true,
    needs: 'rabbitmq',
    rateMax: 1_000,
    write: async (context) => {
      const { model, channel, exchange } = await open(context, confirmed);
      const options = { persistent: confirmed };
      return appending(
        context,
        (end) => void channel.publish(exchange, '', Buffer.from(String(end)), options),
        () => model.close(),
      );
    },
    read: async (context) => {
      const tail = new Tail(context, context.arrivals);
      const { model, channel, exchange } = await open(context, false);
      const { queue } = await channel.assertQueue('', { exclusive: true, durable: confirmed });
      await channel.bindQueue(queue, exchange, '');
      await channel.consume(
        queue,
        (message) => {
          if (!message) return;
          if (Number((message.content ?? NOTHING).toString('latin1')) > tail.position) {
            context.arrivals.woken();
            tail.readOn();
          }
          if (confirmed) channel.ack(message);
        },
        { noAck: !confirmed },
      );
      return {
        async [Symbol.asyncDispose]() {
          await model.close();
          tail[Symbol.dispose]();
        },
      };
    },
  };
};

export const rabbitmqs: readonly Transport[] = [rabbitmqWay(false), rabbitmqWay(true)];
