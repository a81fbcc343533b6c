"use strict";
// Swagger UI, from the files beside it; calls from this page are made with the log-in of the browser.
(() => {
  const place = document.getElementById("api");
  SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (!["GET", "HEAD", undefined].includes(request.method)) request.headers["X-CSRFToken"] = place.dataset.csrf;
      return request;
    },
  });
})();
