"use strict";
// Swagger UI, from the files beside it; calls from this page are made with the log-in of the browser.
(() => {
  const place = document.getElementById("api");

  // Swagger's own layout brings a second <main>, and a heading above ours.
  const layout = ({ React }) => ({
    components: {
      PartOfPage: ({ getComponent, specSelectors }) => {
        const part = (name, container) => React.createElement(getComponent(name, container), { key: name });
        const box = (name, ...inner) => React.createElement("div", { key: name, className: name }, ...inner);
        if (specSelectors.loadingStatus() === "loading") return React.createElement("p", null, "Loading the schema …");
        return box("swagger-ui", part("SvgAssets", false), part("errors", true),
          box("scheme-container", box("schemes wrapper", part("AuthorizeBtnContainer", true))),
          box("wrapper", part("operations", true)), box("wrapper", part("Models", true)));
      },
    },
  });

  SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [layout],
    layout: "PartOfPage",
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (!["GET", "HEAD", undefined].includes(request.method)) request.headers["X-CSRFToken"] = place.dataset.csrf;
      return request;
    },
  });
})();
