import { CalicoError } from '../../base/index.js';
import type { KernelAnswer } from '../kernel-error.js';
import { kernelError } from '../kernel-error.js';
import { NetlinkSocket, NETLINK_NETFILTER, NLM_F_ACK } from '../socket.js';
import type { Kernel, Request } from '../socket.js';
import { readChain } from './chain.js';
import type { NftChain } from './chain.js';
import { getCounters, readCounter } from './counter.js';
import type { NftCounter } from './counter.js';
import { getElements, readElements } from './elements.js';
import type { NftElement } from './elements.js';
import {
  messageTypes,
  numberOf,
  forEachField,
  tableOf,
  tableRequest,
  writeBatchEdge,
  writeInet,
} from './message.js';
import { getRules, readRule } from './rule.js';
import type { NftRuleInfo } from './rule.js';
import { readSet } from './set.js';
import type { ReadSet } from './set.js';
import { getTable } from './table.js';
import { portOf, TableWatch } from './table-watch.js';

/** A batch of 400,000 elements is 6.4 MB; the kernel refuses one that is larger than the buffer. */
const SEND_BUFFER = 64 * 1024 * 1024;
/** Holds the errors of some hundred thousand messages. */
const RECEIVE_BUFFER = 8 * 1024 * 1024;
const NFTA_GEN_ID = 1;
const ENOENT = -2;

const batchBegin: Request = { type: messageTypes.batchBegin, write: writeBatchEdge };
/** Its acknowledgement is the one sign that the batch is in effect; a batch without an end is forgotten. */
const batchEnd: Request = { type: messageTypes.batchEnd, flags: NLM_F_ACK, write: writeBatchEdge };

/** Why a batch was refused: the first of its requests that failed; undefined when it is the batch as a whole. */
export interface BatchFailure {
  readonly place: number | undefined;
  readonly answer: KernelAnswer;
}

/** nf_tables of one network namespace, for tables of family inet, over one long-lived socket. */
export class Nftables {
  readonly #kernel: Kernel;
  readonly #socket: NetlinkSocket;
  readonly #port: number;
  readonly #inside: <T>(use: () => T) => T;

  /** `inside` runs what opens sockets in the namespace that is meant. */
  constructor(kernel: Kernel, inside: <T>(use: () => T) => T) {
    this.#kernel = kernel;
    this.#inside = inside;
    this.#socket = inside(
      () =>
        new NetlinkSocket(kernel, NETLINK_NETFILTER, {
          sendBuffer: SEND_BUFFER,
          receiveBuffer: RECEIVE_BUFFER,
        }),
    );
    this.#port = this.#askGeneration().port;
  }

  /** All of the requests take effect at one moment, or, when it returns a failure, none. */
  commit(requests: readonly Request[]): BatchFailure | undefined {
    const answers = this.#socket.exchange([batchBegin, ...requests, batchEnd]);
    const failure = firstFailure(answers, requests.length);
    if (failure !== undefined || answers.has(requests.length + 1)) return failure;
    // No word at all: it may have been done, and done twice it would mean something else.
    throw new CalicoError('unavailable', 'nftables: the kernel gave no answer to a batch');
  }

  /**
   * What the kernel would say to the requests as one batch; nothing changes. It is a batch without an end, which
   * the kernel checks and then forgets. How deep chains go it does not check in a table that the batch itself makes.
   */
  check(requests: readonly Request[]): BatchFailure | undefined {
    const last = requests.at(-1);
    if (last === undefined) return undefined;
    const asked = { ...last, flags: (last.flags ?? 0) | NLM_F_ACK };
    const answers = this.#socket.exchange([batchBegin, ...requests.slice(0, -1), asked]);
    const failure = firstFailure(answers, requests.length);
    if (failure !== undefined || answers.has(requests.length)) return failure;
    throw new CalicoError(
      'unavailable',
      'nftables: the kernel gave no answer to a batch that it should check',
    );
  }

  /** A number that changes with every batch that anybody commits in the namespace. */
  generation(): number {
    return this.#askGeneration().generation;
  }

  hasTable(table: string): boolean {
    const answer = this.#socket.request(getTable(table));
    if (answer.result < 0 && answer.result !== ENOENT) throw kernelError(`look up table ${table}`, answer);
    return answer.result === 0;
  }

  chains(table: string): readonly NftChain[] {
    const request = { type: messageTypes.getChain, write: writeInet };
    return this.#socket.dump(`list chains of table ${table}`, request, message =>
      // The kernel lists those of all tables.
      message.type === messageTypes.newChain && tableOf(message) === table ? readChain(message) : undefined,
    );
  }

  /** In the order of their chain; of one chain where the table has so many that the kernel's walk is slow. */
  rules(table: string, chain?: string): readonly NftRuleInfo[] {
    return this.#socket.dump(`list rules of table ${table}`, getRules(table, chain), message =>
      message.type === messageTypes.newRule ? readRule(message) : undefined,
    );
  }

  sets(table: string): readonly ReadSet[] {
    const request = tableRequest(messageTypes.getSet, 0, table, () => undefined);
    return this.#socket.dump(`list sets of table ${table}`, request, message =>
      message.type === messageTypes.newSet ? readSet(message) : undefined,
    );
  }

  /** The kernel may leave some out of a hash that it is just making larger. */
  elements(table: string, set: string): readonly NftElement[] {
    return this.#socket
      .dump(`list elements of ${set}`, getElements(table, set), message =>
        message.type === messageTypes.newElements ? readElements(message) : undefined,
      )
      .flat();
  }

  counters(table: string): readonly NftCounter[] {
    return this.#socket.dump(`list counters of table ${table}`, getCounters(table), message =>
      message.type === messageTypes.newObject && tableOf(message) === table
        ? readCounter(message)
        : undefined,
    );
  }

  /** Calls back when somebody else changed the table, or may have: events were lost. */
  watchTable(table: string, onForeignChange: () => void): { close(): void } {
    return this.#inside(() => new TableWatch(this.#kernel, { table, ownPort: this.#port, onForeignChange }));
  }

  close(): void {
    this.#socket.close();
  }

  #askGeneration(): { readonly generation: number; readonly port: number } {
    let [generation, port] = [0, 0];
    const request = { type: messageTypes.getGeneration, write: writeInet };
    const answer = this.#socket.request(request, message => {
      if (message.type !== messageTypes.newGeneration) return;
      port = portOf(message);
      forEachField(message, (type, span) => {
        if (type === NFTA_GEN_ID) generation = numberOf(span);
      });
    });
    if (answer.result < 0) throw kernelError('ask for the generation of the ruleset', answer);
    return { generation, port };
  }
}

function firstFailure(answers: ReadonlyMap<number, KernelAnswer>, count: number): BatchFailure | undefined {
  const failed = [...answers].filter(([, { result }]) => result < 0).sort(([a], [b]) => a - b);
  const inside = failed.find(([place]) => place > 0 && place <= count);
  if (inside !== undefined) return { place: inside[0] - 1, answer: inside[1] };
  const edge = failed[0];
  return edge === undefined ? undefined : { place: undefined, answer: edge[1] };
}
