import { parseAttachment, handleOf, hostInterfaceOf } from './attachment.js';
import type { Attachment } from './attachment.js';
import { add } from './add.js';
import { obtainAddresses, returnAddresses } from './addresses.js';
import { check } from './check.js';
import { del } from './del.js';
import { CniError, asCniError, cniCode, formatError } from './errors.js';
import { parseNetworkConfig } from './netconf.js';
import type { NetworkConfig } from './netconf.js';
import type { CniParts } from './parts.js';
import type { CniAnswer, CniRequest } from './protocol.js';
import { formatResult } from './result.js';
import { formatVersions, versionForAnswer } from './versions.js';

export type CniHandler = (request: CniRequest) => Promise<CniAnswer>;

/**
 * Answers requests of both plugins. Those about the same interface go one after the other, as a DEL may come
 * while an ADD of the same pod is still under way; all others go side by side.
 */
export function createCniHandler(parts: CniParts): CniHandler {
  const inTurn = serialByKey();
  return async request => {
    const started = parts.clock.monotonic();
    const fields = { command: request.command, container: request.containerId, interface: request.ifName };
    try {
      const stdout = await answer(parts, inTurn, request);
      const milliseconds = Math.round(parts.clock.monotonic() - started);
      parts.log.info(`${request.program} ${request.command} done`, { ...fields, milliseconds });
      return { exitCode: 0, stdout };
    } catch (error) {
      const failure = asCniError(error);
      parts.log.warn(`${request.program} ${request.command} failed`, {
        ...fields,
        code: failure.code,
        error: failure.message,
      });
      return { exitCode: 1, stdout: formatError(versionForAnswer(request.stdin), failure) };
    }
  };
}

async function answer(parts: CniParts, inTurn: SerialByKey, request: CniRequest): Promise<string> {
  switch (request.command) {
    case 'VERSION':
      return formatVersions(request.stdin);
    case 'STATUS':
      parseNetworkConfig(request.stdin);
      await expectStore(parts);
      return '';
    case 'ADD':
    case 'DEL':
    case 'CHECK': {
      const attachment = parseAttachment(request);
      const config = parseNetworkConfig(request.stdin);
      const [operations, key] =
        request.program === 'calico'
          ? [plugin, hostInterfaceOf(attachment)]
          : [ipamPlugin, handleOf(config.name, attachment)];
      const operate = operations[request.command];
      return await inTurn(key, async () => operate(parts, { attachment, config }));
    }
    case '':
      throw new CniError(cniCode.badEnvironment, 'invalid environment: CNI_COMMAND is missing');
    default:
      throw new CniError(cniCode.badEnvironment, `unknown CNI_COMMAND: ${request.command}`);
  }
}

interface Operation {
  readonly attachment: Attachment;
  readonly config: NetworkConfig;
}

type Operations = {
  readonly [Command in 'ADD' | 'DEL' | 'CHECK']: (parts: CniParts, of: Operation) => Promise<string>;
};

/** What `calico` does; the answer is what goes to standard output. */
const plugin: Operations = {
  ADD: async (parts, { attachment, config }) =>
    formatResult(config.cniVersion, await add(parts, attachment, config)),
  DEL: async (parts, { attachment, config }) => {
    await del(parts, attachment, config.name);
    return '';
  },
  CHECK: async (parts, { attachment, config }) => {
    await check(parts, attachment, config);
    return '';
  },
};

/** What `calico-ipam` does, when another network plugin calls it. */
const ipamPlugin: Operations = {
  ADD: async (parts, { attachment, config }) =>
    formatResult(config.cniVersion, { addresses: await obtainAddresses(parts, attachment, config) }),
  DEL: async ({ allocator }, { attachment, config }) => {
    await returnAddresses(allocator, attachment, config.name);
    return '';
  },
  CHECK: async ({ allocator }, { attachment, config }) => {
    if ((await allocator.addressesOf(handleOf(config.name, attachment))).length > 0) return '';
    throw new CniError(cniCode.generic, `${attachment.workload}: no address is assigned`);
  },
};

/** STATUS: ready means that an ADD would find the datastore. */
async function expectStore({ client, node }: CniParts): Promise<void> {
  try {
    await client.list('node', { name: node });
  } catch (error) {
    throw new CniError(cniCode.notAvailable, asCniError(error).message, { cause: error });
  }
}

type SerialByKey = <T>(key: string, job: () => Promise<T>) => Promise<T>;

/** Runs the jobs of one key one after the other; a failed one does not stop the next. */
function serialByKey(): SerialByKey {
  const last = new Map<string, Promise<unknown>>();
  return async (key, job) => {
    const run = (last.get(key) ?? Promise.resolve()).then(job, job);
    last.set(key, run);
    try {
      return await run;
    } finally {
      if (last.get(key) === run) last.delete(key);
    }
  };
}
