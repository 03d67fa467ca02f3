import { defineCommand, required, text } from '../../command.js';
import { ipamReleaseHelp } from '../../help/ipam.js';
import { failingAs } from '../failing-as.js';
import { addressOption } from './address-option.js';

export const ipamReleaseCommand = defineCommand({
  path: ['ipam', 'release'],
  help: ipamReleaseHelp,
  options: { ip: required('--ip'), config: text('--config') },
  run: async ({ options, out, clock, datastore }) => {
    const { store } = await datastore();
    return await failingAs({ prefix: 'Error executing command', out }, async () => {
      const address = addressOption(options.ip);
      return await failingAs({ prefix: 'Error', out }, async () => {
        const { createAllocator } = await import('../../../ipam/index.js');
        const isReleased = await createAllocator({ store, clock }).releaseAddress(address);
        out.line(
          isReleased
            ? `Successfully released IP address ${address}`
            : `IP address ${address} is not assigned`,
        );
        return isReleased ? 0 : 1;
      });
    });
  },
});
