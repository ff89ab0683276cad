import type { Language } from "../engine.js";
import type { Peer } from "../peer.js";
import type { JsonObject } from "../wire.js";
import { askedName } from "./askedName.js";
import { codePointsOf, unitsOf } from "./codePoints.js";
import type { History } from "./history.js";
import { kernelInfo } from "./kernelInfo.js";
import type { RequestContent } from "./requests.js";

/** Content of the reply to a request, without its status. */
export type Answer = (content: RequestContent) => JsonObject | Promise<JsonObject>;

/** Completion kinds sent; JupyterLab shows the first few. */
const maxKinds = 300;

/**
 * Answers to the requests that need no running cell.
 *
 * @param comms open comms: their targets by id
 */
export function createAnswers({
  language,
  languageVersion,
  history,
  comms,
}: {
  language: Peer<Language>;
  languageVersion: string;
  history: History;
  comms: ReadonlyMap<string, string>;
}): Record<string, Answer | undefined> {
  return {
    kernel_info_request: () => kernelInfo(languageVersion),
    connect_request: () => ({}),
    is_complete_request: async (content) => {
      const code = content.string("code");
      return askedName(code) === undefined
        ? { ...(await language.ask("isComplete", code)) }
        : { status: "complete" };
    },
    complete_request: (content) => complete(language, content),
    inspect_request: (content) => inspect(language, content),
    history_request: (content) => history.answer(content),
    comm_info_request: (content) => commInfo(comms, content.string("target_name", "")),
  };
}

async function complete(language: Peer<Language>, content: RequestContent): Promise<JsonObject> {
  const { start, end, candidates } = await language.ask("complete", positionOf(content));
  const code = content.string("code");
  const span = { start: codePointsOf(code, start), end: codePointsOf(code, end) };
  const kinds = candidates.slice(0, maxKinds).map(({ text, kind }) => ({ text, type: kind, ...span }));
  return {
    matches: candidates.map(({ text }) => text),
    cursor_start: span.start,
    cursor_end: span.end,
    metadata: { _jupyter_types_experimental: kinds },
  };
}

async function inspect(language: Peer<Language>, content: RequestContent): Promise<JsonObject> {
  const data = await language.ask("inspect", positionOf(content));
  return { found: data !== null, data: data ?? {}, metadata: {} };
}

function positionOf(content: RequestContent): { code: string; position: number } {
  const code = content.string("code");
  return { code, position: unitsOf(code, content.integer("cursor_pos", code.length)) };
}

function commInfo(comms: ReadonlyMap<string, string>, target: string): JsonObject {
  const open = [...comms].filter(([, name]) => target === "" || name === target);
  return { comms: Object.fromEntries(open.map(([id, name]) => [id, { target_name: name }])) };
}
