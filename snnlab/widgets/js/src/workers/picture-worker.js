/** The worker of the pictures: convolutional networks, forward and backward. */

import { work } from "../engine/work.js";
import { TASKS } from "../picture/task.js";

work(TASKS);
