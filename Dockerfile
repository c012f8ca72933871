# The server as an image. `docker build -t rota .`, then
#   docker run rota node dist/cli/main.js keys generate
#   docker run -p 127.0.0.1:8080:8080 -v rota:/data -e ADMIN_KEY=rota_… rota
# For Postgres set DATABASE_URL; set BASE_URL to the address participants can reach.
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md ./
COPY scripts scripts
COPY examples examples
COPY docs docs
COPY console console
COPY src src
RUN npm run build
RUN npm ci --omit=dev

FROM node:22-slim
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY migrations migrations
COPY schemas schemas
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
ENV HOST=0.0.0.0 PORT=8080 DATA_DIR=/data NODE_ENV=production
EXPOSE 8080
# It asks itself at loopback, which no certificate names; nothing but this one request goes without a look at it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "-e", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; fetch(`${process.env.TLS_CERT ? 'https' : 'http'}://127.0.0.1:${process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/cli/main.js", "serve"]
