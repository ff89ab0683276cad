// Lets a program anywhere on the machine import "katlab" from this bundle.
import { register } from "node:module";

register("./resolveKatlab.mjs", import.meta.url);
