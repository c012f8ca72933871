# The server as an image. `docker build -t rota .`, then
#   docker run rota node dist/cli/main.js keys generate
#   docker run -p 127.0.0.1:8080:8080 -v rota:/data -e ADMIN_KEY=rota_… rota
# For Postgres set DATABASE_URL; set BASE_URL to the address participants can reach.
# The version of Node is an exact one, so that the image of a release can be built again. To renew it, with each release and when Node mends a hole: write
# the newest version of the same line here (https://nodejs.org/en/download/releases), `npm run test:all` under it, build.
# One image for good: docker build --build-arg NODE_IMAGE=node:…@sha256:… (docker buildx imagetools inspect node:… tells the digest of today).
ARG NODE_IMAGE=node:22.23.3-bookworm-slim
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md ./
COPY scripts scripts
COPY examples examples
COPY docs docs
COPY console console
COPY src src
# docker build --build-arg COMMIT=$(git rev-parse HEAD): what GET /v1/info says it was built from.
ARG COMMIT=
RUN npm run build
RUN npm ci --omit=dev

FROM ${NODE_IMAGE}
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY migrations migrations
COPY schemas schemas
COPY examples examples
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
ENV HOST=0.0.0.0 PORT=8080 DATA_DIR=/data NODE_ENV=production
EXPOSE 8080
# It asks itself at loopback, by the settings it was started with.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "dist/cli/main.js", "health"]
CMD ["node", "dist/cli/main.js", "serve"]
