import { checkNode } from "./terminal/checkNode.mjs";

checkNode();
import("./runTests.mjs");
