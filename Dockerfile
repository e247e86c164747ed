# The first stage builds the program, the second holds it and the libraries it needs, nothing else.
#
#   docker build -t luminalib .
#   docker run -p 8000:8000 -v luminalib:/var/lib/luminalib luminalib
#
# Needs no settings. Runs as user 10001, also with --read-only --cap-drop ALL --security-opt no-new-privileges: it
# writes to /var/lib/luminalib only. Every setting is a variable, such as LUMINALIB_DATABASE_URL, or with _FILE a
# secret: -e LUMINALIB_SECRET_KEY_FILE=/run/secrets/secret_key. Commands: docker run ... luminalib admin create --help
FROM debian:12 AS build
WORKDIR /src
COPY script script
RUN script/bootstrap
COPY . .
RUN cmake --preset release -DLUMINA_TESTS=OFF -DLUMINA_BENCH=OFF \
 && cmake --build --preset release --target luminalib \
 && strip --strip-debug build/release/luminalib

FROM debian:12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ca-certificates libboost-json1.81.0 libboost-url1.81.0 libbrotli1 libcrypt1 libcurl4 libfmt9 libicu72 libpq5 libpugixml1v5 \
      libseccomp2 libsoci-core4.0 libsoci-postgresql4.0 libsoci-sqlite3-4.0 libsqlite3-0 libssl3 libstdc++6 libstemmer0d \
      libtomlplusplus3 libzip4 poppler-utils zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /var/lib/luminalib --shell /usr/sbin/nologin luminalib \
 && install -d -o luminalib -g luminalib -m 700 /var/lib/luminalib
COPY --from=build /src/build/release/luminalib /usr/bin/luminalib
# llama.cpp, opened only when llm_provider is llama.
COPY --from=build /src/script/npm/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/*.so /usr/lib/luminalib/
# A library that is missing fails the build, not the first start.
RUN luminalib version
ENV LUMINALIB_DATA_DIR=/var/lib/luminalib
WORKDIR /var/lib/luminalib
VOLUME /var/lib/luminalib
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/bin/luminalib", "healthcheck"]
ENTRYPOINT ["/usr/bin/luminalib"]
CMD ["serve", "--http-addr", "0.0.0.0:8000"]
