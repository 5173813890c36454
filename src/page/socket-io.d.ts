/** The server brings the browser's half of socket.io along, at this address. */
declare module '*/socket.io.esm.min.js' {
  export { io } from 'socket.io-client';
}
