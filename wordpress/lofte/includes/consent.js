// Stands in for the functions of the WP Consent API's own script; `L` is what class-consent.php says of this site.
var granted = [];

function has( category ) {
	return L.free.indexOf( category ) >= 0 || ( L.of.hasOwnProperty( category ) && granted.indexOf( L.of[ category ] ) >= 0 );
}

function all() {
	var found = {};
	Object.keys( L.of ).forEach( function ( category ) {
		found[ category ] = has( category );
	} );
	return found;
}

window.wp_has_consent = has;
window.wp_has_service_consent = function ( service ) {
	return has( window.wp_get_service_category ? window.wp_get_service_category( service ) : 'marketing' );
};
window.wp_is_service_denied = function ( service ) {
	return ! window.wp_has_service_consent( service );
};
// A choice is made by the visitor, with a receipt; no other script makes one.
window.wp_set_consent = window.wp_set_service_consent = function () {};

if ( window.lofte ) granted = window.lofte.granted;
window.wp_consent_type = L.type;
document.dispatchEvent( new CustomEvent( 'wp_consent_type_defined' ) );

document.addEventListener( 'lofte:choice', function ( event ) {
	var before = all();
	granted = event.detail.granted;
	var after = all();
	Object.keys( after ).forEach( function ( category ) {
		if ( before[ category ] !== after[ category ] ) {
			// An array with a name, as the API's own script sends it.
			var changed = [];
			changed[ category ] = after[ category ] ? 'allow' : 'deny';
			document.dispatchEvent( new CustomEvent( 'wp_listen_for_consent_change', { detail: changed } ) );
		}
	} );
} );
