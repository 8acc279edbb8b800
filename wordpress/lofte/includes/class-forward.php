<?php
/**
 * Passes `/lofte/*` on to Löfte, so that its cookies are this site's own. Where the web server does this already, it never gets here.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

final class Forward {
	const MOST_BYTES = 65536;
	const IN         = array( 'ACCEPT', 'ACCEPT_LANGUAGE', 'CONTENT_TYPE', 'IF_NONE_MATCH', 'ORIGIN', 'REFERER', 'SEC_GPC', 'SEC_FETCH_SITE', 'SEC_FETCH_MODE', 'SEC_FETCH_DEST', 'USER_AGENT' );
	const OUT        = array( 'content-type', 'cache-control', 'vary', 'etag', 'location', 'clear-site-data', 'content-security-policy', 'x-content-type-options', 'referrer-policy', 'retry-after', 'x-robots-tag' );

	public static function start(): void {
		add_action( 'plugins_loaded', array( __CLASS__, 'pass' ), -PHP_INT_MAX );
	}

	public static function pass(): void {
		$target = isset( $_SERVER['REQUEST_URI'] ) ? (string) $_SERVER['REQUEST_URI'] : '';
		$path   = (string) strtok( $target, '?' );
		if ( ( 0 !== strpos( $path, '/lofte/' ) && '/.well-known/gpc.json' !== $path ) || '/lofte/gate.json' === $path || '' === Kit::base() ) {
			return;
		}
		if ( false !== strpos( $path, '..' ) || preg_match( '/[\x00-\x20\x7f]/', $target ) ) {
			self::end( 400 );
		}
		$method = isset( $_SERVER['REQUEST_METHOD'] ) ? strtoupper( $_SERVER['REQUEST_METHOD'] ) : 'GET';
		if ( ! in_array( $method, array( 'GET', 'HEAD', 'POST', 'OPTIONS' ), true ) ) {
			self::end( 405 );
		}
		$body = 'POST' === $method ? (string) file_get_contents( 'php://input', false, null, 0, self::MOST_BYTES + 1 ) : '';
		if ( strlen( $body ) > self::MOST_BYTES ) {
			self::end( 413 );
		}
		$answer = Kit::ask( $method, $target, array( 'headers' => self::headers(), 'body' => '' === $body ? null : $body, 'decompress' => true ) );
		if ( is_wp_error( $answer ) ) {
			self::end( 502 );
		}
		status_header( (int) wp_remote_retrieve_response_code( $answer ) );
		header_remove( 'X-Powered-By' );
		foreach ( self::OUT as $name ) {
			$value = wp_remote_retrieve_header( $answer, $name );
			if ( $value ) {
				header( $name . ': ' . ( is_array( $value ) ? implode( ', ', $value ) : $value ) );
			}
		}
		foreach ( (array) wp_remote_retrieve_header( $answer, 'set-cookie' ) as $cookie ) {
			if ( $cookie ) {
				header( 'Set-Cookie: ' . $cookie, false );
			}
		}
		if ( 'HEAD' !== $method ) {
			echo wp_remote_retrieve_body( $answer ); // phpcs:ignore WordPress.Security.EscapeOutput -- Löfte's own answer, bytes as they are.
		}
		exit;
	}

	/** @return array<string, string> Of the cookies only Löfte's own and those it may have to expire, by name alone. */
	private static function headers(): array {
		$headers = array();
		foreach ( self::IN as $name ) {
			$key = 'CONTENT_TYPE' === $name ? $name : 'HTTP_' . $name;
			if ( isset( $_SERVER[ $key ] ) && '' !== $_SERVER[ $key ] ) {
				$headers[ strtolower( str_replace( '_', '-', $name ) ) ] = (string) $_SERVER[ $key ];
			}
		}
		$sent = isset( $_SERVER['HTTP_COOKIE'] ) ? (string) $_SERVER['HTTP_COOKIE'] : '';
		$kept = array();
		foreach ( explode( ';', $sent ) as $pair ) {
			list( $name, $value ) = array_pad( explode( '=', trim( $pair ), 2 ), 2, '' );
			if ( '' !== $name && 0 !== strpos( $name, 'wordpress' ) && 0 !== strpos( $name, 'wp' ) ) {
				$kept[] = $name . '=' . ( 'lofte' === $name || 'lofte_on' === $name ? $value : '1' );
			}
		}
		if ( $kept ) {
			$headers['cookie'] = implode( '; ', $kept );
		}
		$headers['host']            = isset( $_SERVER['HTTP_HOST'] ) ? (string) $_SERVER['HTTP_HOST'] : '';
		$headers['x-forwarded-for'] = isset( $_SERVER['REMOTE_ADDR'] ) ? (string) $_SERVER['REMOTE_ADDR'] : '';
		return $headers;
	}

	private static function end( int $status ): void {
		status_header( $status );
		header( 'Content-Type: text/plain; charset=utf-8' );
		header( 'Cache-Control: no-store' );
		echo 502 === $status ? "Löfte does not answer; nothing was changed.\n" : "This cannot be passed on.\n";
		exit;
	}
}
