import { checkNode } from "./terminal/checkNode.mjs";

checkNode();
import("./startLab.mjs");
