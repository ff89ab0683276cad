import { register, SourceMap, type SourceMapPayload } from "node:module";
import { pathToFileURL } from "node:url";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { ownModuleUrl } from "../ownModuleUrl.js";
import { siblingFile } from "../siblingFile.js";

/** What the loader tells about a TypeScript file it has emitted. */
export interface EmittedModule {
  url: string;
  sourceMap: string;
}

/**
 * The user's own files: they may be TypeScript in every Node, and are loaded anew by the next import after they or
 * what they import has changed. Node's loader does this by hooks, which are set up when a cell first needs them.
 */
export class OwnModules {
  readonly #maps = new Map<string, SourceMap>();
  #port: MessagePort | undefined;

  /** The URL under which a file beside the notebook is imported; other specifiers are left to Node. */
  locate(specifier: string, folder: string): string {
    const file = siblingFile(specifier, folder);
    if (file === undefined) return specifier;
    this.#port ??= setUpHooks();
    return ownModuleUrl(pathToFileURL(file));
  }

  /** Where the lines of an emitted module come from. */
  mapOf(url: string): SourceMap | undefined {
    // Not by a listener: an error may have to be shown before the event loop turns again.
    for (let received = this.#receive(); received !== undefined; received = this.#receive()) {
      this.#maps.set(received.url, new SourceMap(JSON.parse(received.sourceMap) as SourceMapPayload));
    }
    return this.#maps.get(url);
  }

  #receive(): EmittedModule | undefined {
    if (this.#port === undefined) return undefined;
    const received: { message: EmittedModule } | undefined = receiveMessageOnPort(this.#port);
    return received?.message;
  }
}

function setUpHooks(): MessagePort {
  const { port1: here, port2: there } = new MessageChannel();
  register(new URL("../language/ownModuleHooks.js", import.meta.url), {
    data: { port: there },
    transferList: [there],
  });
  here.unref();
  return here;
}
