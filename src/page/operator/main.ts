import { io } from '/socket.io/socket.io.esm.min.js';
import { createAskbaseClient } from '../../client/askbase-client.js';
import { createApi } from '../api.js';
import { createSession } from '../session.js';
import { startOperatorPage } from './operator-page.js';

const session = createSession(
  () => sessionStorage,
  () => localStorage,
);
const token = session.apiKey;

startOperatorPage({ client: createAskbaseClient({ io, token }), api: createApi({ token }), session });
