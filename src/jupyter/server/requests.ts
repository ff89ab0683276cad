import { mustBe } from "../../errors.js";
import type { JsonObject } from "../wire.js";

/** Fields of a request's content, checked: anybody can send anything. */
export class RequestContent {
  readonly #type: string;
  readonly #content: JsonObject;

  constructor(type: string, content: JsonObject) {
    this.#type = type;
    this.#content = content;
  }

  string(name: string, fallback?: string): string {
    return this.#field(name, "a string", fallback, (value) =>
      typeof value === "string" ? value : undefined,
    );
  }

  integer(name: string, fallback?: number): number {
    return this.#field(name, "an integer", fallback, (value) =>
      typeof value === "number" && Number.isInteger(value) ? value : undefined,
    );
  }

  boolean(name: string, fallback: boolean): boolean {
    return this.#field(name, "a boolean", fallback, (value) =>
      typeof value === "boolean" ? value : undefined,
    );
  }

  object(name: string): JsonObject {
    return this.#field(name, "an object", {}, (value) =>
      typeof value === "object" && value !== null ? (value as JsonObject) : undefined,
    );
  }

  #field<T>(
    name: string,
    kind: string,
    fallback: T | undefined,
    accept: (value: unknown) => T | undefined,
  ): T {
    const given = this.#content[name];
    const value = given === undefined || given === null ? fallback : accept(given);
    if (value !== undefined) return value;
    throw mustBe({
      subject: this.#type,
      must: `${name} must be ${kind}`,
      got: given === undefined ? "nothing" : JSON.stringify(given),
      remedy: "The front end must follow the Jupyter messaging protocol.",
    });
  }
}
