import { io } from '/socket.io/socket.io.esm.min.js';
import { createAskbaseClient } from '../client/askbase-client.js';
import { createApi } from './api.js';
import { startPage } from './page.js';
import { createSession } from './session.js';

const session = createSession(
  () => sessionStorage,
  () => localStorage,
);
const token = session.apiKey;

startPage({ client: createAskbaseClient({ io, token }), api: createApi({ token }), session });
