/**
 * JSON types of a chart. Vega-Lite's own types need a newer TypeScript than notebooks may bring,
 * so the public declarations use these.
 */

/** Anything JSON can hold; `undefined` properties are dropped when written. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** A complete Vega-Lite specification, with its schema and a description for screen readers. */
export interface VegaLiteSpec extends JsonObject {
  /** Address of the Vega-Lite schema the specification keeps to. */
  readonly $schema: string;
  /** What the chart says, in one sentence. */
  readonly description: string;
}

/** Data of one notebook output by MIME type. Binary data are bytes; JSON types are objects. */
export interface MimeBundle {
  readonly [mime: string]: string | Uint8Array | JsonObject;
}
