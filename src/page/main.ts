import { io } from '/socket.io/socket.io.esm.min.js';
import { createAskbaseClient } from '../client/askbase-client.js';
import { createApi } from './api.js';
import { startPage } from './page.js';
import { createSession } from './session.js';

startPage({
  client: createAskbaseClient({ io }),
  api: createApi(),
  session: createSession(
    () => sessionStorage,
    () => localStorage,
  ),
});
