import { messageOf } from '../base/index.js';
import { add } from './add.js';
import { addressSource, ownAddresses } from './addresses.js';
import type { Operation } from './addresses.js';
import { handleOf, hostInterfaceOf, parseAttachment } from './attachment.js';
import { check } from './check.js';
import { del } from './del.js';
import { CniError, asCniError, cniCode, formatError } from './errors.js';
import { collectGarbage } from './gc.js';
import { ownIpam } from './ipam-config.js';
import { parseNetworkConfig } from './netconf.js';
import type { CniParts } from './parts.js';
import type { CniAnswer, CniRequest } from './protocol.js';
import { formatResult } from './result.js';
import { serialByKey } from './serial-by-key.js';
import type { SerialByKey } from './serial-by-key.js';
import { expectReady } from './status.js';
import { expectCommandOf, formatVersions, versionForAnswer } from './versions.js';

export interface CniHandler {
  (request: CniRequest): Promise<CniAnswer>;
  /** Resolves when what requests left to be done later is done. */
  readonly idle?: () => Promise<void>;
}

/**
 * Answers requests of both plugins. Those about the same interface go one after the other, as a DEL may come
 * while an ADD of the same pod is still under way; all others go side by side.
 */
export function createCniHandler(parts: CniParts): CniHandler {
  const inTurn = serialByKey(error => {
    parts.log.warn('the rest of a DEL failed; GC or the next start of the agent does it', {
      error: messageOf(error),
    });
  });
  const handle = async (request: CniRequest): Promise<CniAnswer> => {
    const started = parts.clock.monotonic();
    const fields = { command: request.command, container: request.containerId, interface: request.ifName };
    try {
      const stdout = await answer({ parts, inTurn }, request);
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
  return Object.assign(handle, { idle: async () => inTurn.idle() });
}

interface Serving {
  readonly parts: CniParts;
  readonly inTurn: SerialByKey;
}

async function answer(serving: Serving, request: CniRequest): Promise<string> {
  switch (request.command) {
    case 'VERSION':
      return formatVersions(request.stdin);
    case 'STATUS':
    case 'GC': {
      const config = parseNetworkConfig(request.stdin);
      expectCommandOf(config.cniVersion, request.command);
      if (request.command === 'STATUS') await expectReady(serving.parts, { request, config });
      else {
        const remove = async (operation: Operation): Promise<void> => removeInTurn(serving, operation);
        await collectGarbage(serving.parts, { request, config, remove });
        await serving.parts.flush();
      }
      return '';
    }
    case 'ADD':
    case 'DEL':
    case 'CHECK': {
      const attachment = parseAttachment(request);
      const config = parseNetworkConfig(request.stdin);
      expectCommandOf(config.cniVersion, request.command);
      const operations = request.program === 'calico' ? plugin : ownIpamPlugin;
      return await operations[request.command](serving, { request, attachment, config });
    }
    case '':
      throw new CniError(cniCode.badEnvironment, 'invalid environment: CNI_COMMAND is missing');
    default:
      throw new CniError(cniCode.badEnvironment, `unknown CNI_COMMAND: ${request.command}`);
  }
}

type Operations = {
  readonly [Command in 'ADD' | 'DEL' | 'CHECK']: (serving: Serving, of: Operation) => Promise<string>;
};

/** What `calico` does; the answer is what goes to standard output. */
const plugin: Operations = {
  ADD: async ({ parts, inTurn }, operation) => {
    const result = await inTurn.run(hostInterfaceOf(operation.attachment), async () => add(parts, operation));
    return formatResult(operation.config.cniVersion, result);
  },
  DEL: async (serving, operation) => {
    await removeInTurn(serving, operation);
    return '';
  },
  CHECK: async ({ parts, inTurn }, operation) => {
    await inTurn.run(hostInterfaceOf(operation.attachment), async () => check(parts, operation));
    return '';
  },
};

async function removeInTurn({ parts, inTurn }: Serving, operation: Operation): Promise<void> {
  await inTurn.run(hostInterfaceOf(operation.attachment), async later => del(parts, operation, later));
}

/** What `calico-ipam` does, when another network plugin calls it. */
const ownIpamPlugin: Operations = {
  ADD: async ({ parts, inTurn }, operation) => {
    const { config } = operation;
    if (config.ipam.type !== ownIpam)
      throw new CniError(cniCode.badConfiguration, `ipam.type is "${config.ipam.type}", not "${ownIpam}"`);
    const answered = await inTurn.run(ipamKey(operation), async () =>
      addressSource(parts, config).obtain(operation),
    );
    await parts.flush();
    return formatResult(config.cniVersion, answered);
  },
  DEL: async ({ parts, inTurn }, operation) => {
    await inTurn.run(ipamKey(operation), async () => ownAddresses(parts).giveBack(operation));
    await parts.flush();
    return '';
  },
  CHECK: async ({ parts, inTurn }, operation) => {
    await inTurn.run(ipamKey(operation), async () => ownAddresses(parts).check(operation, []));
    return '';
  },
};

function ipamKey({ config, attachment }: Operation): string {
  return handleOf(config.name, attachment);
}
