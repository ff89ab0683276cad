/** The thread of the TypeScript language service: it answers while a cell runs. */
import { type MessagePort, workerData } from "node:worker_threads";
import { TypescriptLanguage } from "./language/typescriptLanguage.js";
import { Peer } from "./peer.js";

/** What the main thread gives to this one. */
export interface LanguageThreadData {
  port: MessagePort;
  /** Where the notebook is. */
  folder: string;
}

const { port, folder } = workerData as LanguageThreadData;
new Peer(port, new TypescriptLanguage(folder));
