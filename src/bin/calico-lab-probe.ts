import { messageOf, systemClock } from '../base/index.js';
import { answerOn, delayBetween, parseService, probe, receiveStamps, sendStamps } from '../lab/index.js';

/** calico-lab-probe answer SERVICE | ask SERVICE ADDRESS TIMEOUT-MS | send-stamps | receive-stamps | delay DEVICE DEVICE MS */
async function main([
  verb = '',
  service = '',
  address = '',
  number = '',
]: readonly string[]): Promise<string> {
  if (verb === 'delay') {
    await delayBetween(service, address, Number(number), systemClock);
    return 'ready';
  }
  const { transport, port } = parseService(service);
  switch (verb) {
    case 'answer':
      await answerOn(transport, port);
      return 'listening';
    case 'ask':
      return JSON.stringify(
        await probe({ transport, port, address, timeoutMs: Number(number) }, systemClock),
      );
    case 'send-stamps':
      await sendStamps(address, port, systemClock);
      return '';
    case 'receive-stamps':
      await receiveStamps(port);
      return '';
    default:
      throw new Error(`unknown verb '${verb}'`);
  }
}

main(process.argv.slice(2)).then(
  answer => process.stdout.write(`${answer}\n`),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  },
);
