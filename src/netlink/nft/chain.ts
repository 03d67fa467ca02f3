import type { Message } from '../codec.js';
import { NLM_F_CREATE } from '../socket.js';
import type { Request } from '../socket.js';
import {
  forEachField,
  forEachInner,
  messageTypes,
  NESTED,
  numberOf,
  tableRequest,
  textOf,
} from './message.js';

const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_CHAIN_TYPE = 7;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const NF_ACCEPT = 1;

const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;

/** Where the kernel calls a base chain; `type` and `hook` are any text for one that we did not write. */
export interface NftHook {
  readonly type: string;
  readonly hook: string;
  readonly priority: number;
}

export interface NftChain {
  readonly name: string;
  /** present for a base chain; its policy is accept */
  readonly hook?: NftHook;
}

export function addChain(table: string, { name, hook }: NftChain): Request {
  return tableRequest(messageTypes.newChain, NLM_F_CREATE, table, writer => {
    writer.attributeText(NFTA_CHAIN_NAME, name);
    if (hook === undefined) return;
    const number = hooks.findIndex(known => known === hook.hook);
    if (number < 0) throw new Error(`no hook ${hook.hook}`);
    writer.attributeText(NFTA_CHAIN_TYPE, hook.type).attributeU32Net(NFTA_CHAIN_POLICY, NF_ACCEPT);
    writer.nested(NFTA_CHAIN_HOOK | NESTED, body => {
      body.attributeU32Net(NFTA_HOOK_HOOKNUM, number).attributeU32Net(NFTA_HOOK_PRIORITY, hook.priority);
    });
  });
}

export function deleteChain(table: string, name: string): Request {
  return tableRequest(messageTypes.deleteChain, 0, table, writer => {
    writer.attributeText(NFTA_CHAIN_NAME, name);
  });
}

/** Reads a NEWCHAIN message. */
export function readChain(message: Message): NftChain {
  let name = '';
  let type = '';
  let hook: Omit<NftHook, 'type'> | undefined;
  forEachField(message, (attribute, span) => {
    if (attribute === NFTA_CHAIN_NAME) name = textOf(span);
    else if (attribute === NFTA_CHAIN_TYPE) type = textOf(span);
    else if (attribute === NFTA_CHAIN_HOOK) {
      let [number, priority] = [0, 0];
      forEachInner(span, (inner, value) => {
        if (inner === NFTA_HOOK_HOOKNUM) number = numberOf(value);
        else if (inner === NFTA_HOOK_PRIORITY) priority = numberOf(value) | 0;
      });
      hook = { hook: hooks[number] ?? String(number), priority };
    }
  });
  return hook === undefined ? { name } : { name, hook: { type, ...hook } };
}
